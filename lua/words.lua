--- What the words of a scenario have in common: names, bodies, targets, tables of words.
local diag = require "diag"
local handles = require "handles"
local units = require "units"

local M = {}
local POISON = diag.POISON
M.NAME_MAX = 200 -- bytes, of a component or a check

--- Where a block's fields are read, for messages.
function M.context(state, what, line)
    return { state = state, what = what, line = line }
end

local SPACES = { region = "region", zone = "region", cloud = "region", host = "host",
    scenario = "scenario", expect = "expectation", slo = "expectation", check = "expectation",
    param = "param", chaos = "chaos", monitoring = "monitoring" }

--- While the world runs nothing more can be declared.
function M.declares(state, kind)
    if state.running and not state.is_prompting then
        error(("LZ503: `%s` declares, and the world runs: write it at the top level"):format(
            kind), 0)
    end
end

--- Two blocks of one namespace must not share a name.
function M.claim(state, kind, name, line)
    M.declares(state, kind)
    local space = SPACES[kind] or "component"
    local names = state.names[space] or {}
    state.names[space] = names
    local other = names[name]
    if other then
        state.diag.add { code = "LZ104", line = line, word = ('"%s"'):format(name),
            text = ('the name "%s" is used twice'):format(name),
            also = { line = other.line, text = ("first by this %s"):format(other.kind) } }
        return false
    end
    names[name] = { kind = kind, line = line }
    return true
end

local function need_body(state, kind, name, line)
    return state.diag.add { code = "LZ110", line = line, word = ('"%s"'):format(name),
        text = ('%s "%s" needs a body in braces'):format(kind, name),
        help = ('write %s "%s" { ... }'):format(kind, name) }
end

--- A word of the form `kind "name" { ... }`: first the name, then the body.
function M.named(state, kind, make)
    return function(name)
        local line = state.line()
        if type(name) == "table" and not getmetatable(name) then
            return state.diag.add { code = "LZ103", line = line, word = kind,
                text = ("%s%s needs a name"):format(units.article(kind), kind),
                help = ('write %s "name" { ... }'):format(kind) }
        end
        if name == POISON then return function() return POISON end end
        if type(name) ~= "string" or name == "" then
            state.diag.add { code = "LZ103", line = line, word = kind,
                text = ("the name of %s%s is a text, got %s"):format(
                    units.article(kind), kind, units.kind_of(name)),
                help = ('write %s "name" { ... }'):format(kind) }
            return function() return POISON end
        end
        if #name > M.NAME_MAX then
            state.diag.add { code = "LZ103", line = line, word = kind,
                text = ("the name of %s%s has at most %d bytes, this has %d"):format(
                    units.article(kind), kind, M.NAME_MAX, #name),
                help = "say less here, and the rest in a comment" }
            return function() return POISON end
        end
        local nul = name:find("\0", 1, true)
        if nul then -- C and all formats would end it there, so that two names could be one
            state.diag.add { code = "LZ103", line = line, word = kind,
                text = ("the name of %s%s has a NUL as its byte %d"):format(
                    units.article(kind), kind, nul),
                help = "leave it out: a name is a text that people read" }
            return function() return POISON end
        end
        local pending = { kind = kind, name = name, line = line }
        state.pending[#state.pending + 1] = pending
        return setmetatable({}, {
            lz_kind = kind .. " without a body",
            __metatable = "block",
            __call = function(_, body)
                pending.done = true
                if body == POISON then return POISON end
                if type(body) ~= "table" or getmetatable(body) then
                    return need_body(state, kind, name, line)
                end
                if not M.claim(state, kind, name, line) then return POISON end
                return make(name, body, line)
            end,
            __index = function()
                return POISON -- said once, by the check for bodies
            end,
        })
    end
end

local TARGETS = { target = true, region = true, zone = true, cloud = true, host = true,
    link = true }

--- The end of a link or the target of a fault: facts that build.lua can resolve.
function M.as_target(v)
    local h = handles.of(v)
    if not h then return nil end
    if TARGETS[h.kind] then return h end
    if handles.is_component(h) then
        return { kind = "target", target = "component", component = h, text = h.name }
    end
    return nil
end

--- Whether a target is anywhere that messages come from or go to: a rule is not.
function M.is_somewhere(target)
    local kind = target and target.component and target.component.kind
    return target ~= nil and kind ~= "alert" and kind ~= "rule"
end

--- What other tools' word is here: one or more of ours, or none and why.
local function theirs(name, k, known, note)
    if #known == 0 then return ("other tools' `%s`: %s"):format(k, note) end
    return ("other tools' `%s` is `%s.%s` here"):format(k, name,
        table.concat(known, ("` or `%s."):format(name)))
end

--- A table of words that complains about one it does not have. `synonyms` gives what other tools'
--- word is here, as tools.fault does.
function M.strict(state, name, words, what, synonyms)
    local names = {}
    for word in pairs(words) do names[#names + 1] = word end
    table.sort(names)
    return setmetatable({}, {
        lz_kind = name, __metatable = name,
        __newindex = function() error(name .. " cannot be changed", 2) end,
        __index = function(_, k)
            if words[k] then return words[k] end
            local known, note = nil, nil
            if synonyms then known, note = synonyms(k) end
            local near, is_certain = diag.nearest(units.key(k), names)
            local help = known and theirs(name, k, known, note)
                or near and ("a %s with a similar name exists: `%s`"):format(what, near)
            return handles.complain(state) { code = "LZ105", line = state.line(),
                word = units.key(k),
                text = ("there is no %s `%s`"):format(what, units.key(k)), help = help,
                fix = not known and near and is_certain and { with = near } or nil,
                list = not known and not near and { ("the %ss are"):format(what), names } or nil }
        end,
    })
end

return M
