--- Types of fields that only a live run has: command lines, ports, texts by name, what is real.
local diag = require "diag"
local handles = require "handles"
local lists = require "fields_list"
local wrong = require "fields_wrong"
local schema_live = require "schema_live"
local units = require "units"

local M = {}
local POISON = diag.POISON
local TEXT_MAX = 100000

local each, is_list = lists.each, lists.is_list

local ALLOWED = { process = true, endpoint = true, service = true, balancer = true, gateway = true,
    database = true, consensus = true, cache = true, store = true, broker = true }

--- Add them; `complain` and `expected` are fields.lua's.
function M.add(TYPES, complain, expected)
    local function text_of(ctx, f, v, what)
        if type(v) == "number" then v = tostring(v) end
        if type(v) ~= "string" then return expected(ctx, f, what, v) end
        if v:find("\0", 1, true) then
            return nil, complain(ctx, f[1], "LZ206", "a text with a NUL byte cannot be passed on")
        elseif #v > TEXT_MAX then
            return nil, complain(ctx, f[1], "LZ206",
                ("at most %d bytes, got %d"):format(TEXT_MAX, #v))
        end
        return v
    end

    --- A program and its arguments; numbers become texts.
    function TYPES.argv(ctx, f, v)
        local what = 'a program and its arguments such as { "redis-server", "--port", "{{port}}" }'
        if not is_list(v) or #v == 0 then return expected(ctx, f, what, v) end
        if not wrong.is_list(ctx, f, v) then return nil end
        local list = each(v, function(one) return text_of(ctx, f, one, what) end)
        if list and list[1] == "" then
            return nil, complain(ctx, f[1], "LZ206", "the first text is the program, and is empty")
        end
        return list
    end

    function TYPES.argvs(ctx, f, v)
        if not is_list(v) or #v == 0 then
            return expected(ctx, f, 'a list of programs such as { { "initdb", "-D", "data" } }', v)
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        return each(v, function(one) return TYPES.argv(ctx, f, one) end)
    end

    --- Texts by name, in the order of the names.
    function TYPES.texts(ctx, f, v)
        if not is_list(v) then return expected(ctx, f, "texts by name: { NAME = \"text\" }", v) end
        local list, names = {}, {}
        for name, one in next, v do
            if one == POISON then return nil end
            if type(name) ~= "string" or name == "" then
                return expected(ctx, f, "texts by name: { NAME = \"text\" }", v)
            end
            names[#names + 1] = name
        end
        table.sort(names)
        for i, name in ipairs(names) do
            local text = text_of(ctx, f, v[name], ("a text for %s"):format(name))
            if not text then return nil end
            list[i] = { name, text }
        end
        return list
    end

    function TYPES.port(ctx, f, v)
        if v == "free" then return 0 end
        if math.type(v) == "integer" and v >= 1 and v <= 65535 then return v end
        return nil, complain(ctx, f[1], "LZ206",
            ('expected a port from 1 to 65535 or "free", got %s'):format(units.show(v)))
    end

    function TYPES.place_to_ask(ctx, f, v)
        if v == true then return "" end
        local is_place = type(v) == "string"
            and (v:find "{{[^{}]*}}" or v:find "^[^%s:%[%]]+:%d+$" or v:find "^%[[%x:.]+%]:%d+$")
        if is_place then return v end
        return expected(ctx, f, 'true or "host:port" such as "[::1]:80"', v)
    end

    --- A metric of something modelled, whole.
    function TYPES.measured(ctx, f, v)
        local h = handles.of(v)
        if not h or h.kind ~= "metric" or h.replica or not h.component.fields then
            return expected(ctx, f, "a metric such as db.lost_acks", v)
        end
        return h
    end

    --- What a process connects to.
    function TYPES.connects(ctx, f, v)
        if handles.of(v) then v = { v } end
        if not is_list(v) then return expected(ctx, f, "a list of what it connects to", v) end
        if not wrong.is_list(ctx, f, v) then return nil end
        return each(v, function(one)
            local h = handles.of(one)
            if h and ALLOWED[h.kind] then return h end
            return expected(ctx, f, "a list of processes, endpoints or components", one)
        end)
    end

    --- One matcher, or a list of them.
    function TYPES.matchers(ctx, f, v)
        if handles.of(v) or not is_list(v) then v = { v } end
        return each(v, function(one) return TYPES.matcher(ctx, f, one) end)
    end

    local function one_live(ctx, f, v)
        local h = handles.of(v)
        if h and (h.kind == "process" or h.kind == "endpoint") then return h end
        if h or not is_list(v) then
            return expected(ctx, f, "a process, an endpoint, or the fields of one", v)
        end
        if (v.run == nil) == (v.url == nil) then
            return nil, complain(ctx, f[1], "LZ102",
                v.run and "`run` starts a program, `url` names one that runs: one of them"
                or "it needs `run`, the program that is started, or `url`, where one runs")
        end
        local block = TYPES.block(ctx, { f[1],
            fields = v.url and schema_live.endpoint or schema_live.process }, v)
        return block and { kind = v.url and "endpoint" or "process", fields = block,
            line = ctx.line, is_inline = true, broken = block.broken }
    end

    --- What a modelled component really is: a list, one for each instance.
    function TYPES.live(ctx, f, v)
        local is_one = handles.of(v) or not is_list(v) or v.run ~= nil or v.url ~= nil
            or v[1] == nil
        return each(is_one and { v } or v, function(one) return one_live(ctx, f, one) end)
    end
end

return M
