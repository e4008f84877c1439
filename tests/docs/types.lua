-- types.lua — what editors are told, against what scenarios say.
--
--     lua5.4 tests/docs/types.lua path/to/lorenz path/to/source
--
-- Every name that a scenario or an example of ours uses must be declared in the types: globals as
-- globals, fields of blocks and members as fields of some class. And the manual must have every
-- field that the types have.

local binary, root = arg[1], arg[2]
package.path = root .. "/lua/?.lua"
local lexer = require "lexer"
local syntax = require "syntax"

local n, failed = 0, 0

local function ok(holds, name, detail)
    n = n + 1
    if not holds then failed = failed + 1 end
    print(("%s %d - %s"):format(holds and "ok" or "not ok", n, name))
    if not holds and detail then print("# " .. tostring(detail):gsub("\n", "\n# ")) end
end

local function output(command)
    local pipe <close> = assert(io.popen(command))
    return pipe:read "a"
end

local library = output(("'%s' types --print library"):format(binary))

-- ---------------------------------------------------------------- what is declared

local globals, members = {}, {}
for name in ("assert error getmetatable ipairs math next pairs pcall rawequal rawlen select "
    .. "setmetatable string table tonumber tostring type utf8"):gmatch "%a+%d?" do
    globals[name] = true
end
for _, library_name in ipairs { "math", "string", "table", "utf8" } do
    for name in pairs(_G[library_name]) do members[name] = true end
end
for line in library:gmatch "[^\n]+" do
    local owner, name = line:match "^function ([%w_]+)%.?([%w_]*)"
    if owner then globals[owner] = true end
    if name and name ~= "" then members[name] = true end
    local field = line:match "^%-%-%-@field ([%w_]+)"
    if field then members[field] = true end
    local assigned = line:match "^([%w_]+) = {}"
    if assigned then globals[assigned] = true end
end

-- ---------------------------------------------------------------- what is used

---Names that a source makes itself: locals, parameters, loop variables.
local function own_names(source)
    local own = {}
    local function take(list)
        for name in list:gmatch "[%a_][%w_]*" do own[name] = true end
    end
    for list in source:gmatch "local%s+([%a_][%w_,%s]*)" do take(list) end
    for list in source:gmatch "function[%s%w_.]*%(([^)]*)%)" do take(list) end
    for list in source:gmatch "for%s+([%a_][%w_,%s]*)%s+in" do take(list) end
    for list in source:gmatch "for%s+([%a_][%w_]*)%s*=" do take(list) end
    -- Columns of a question in SQL are the author's too.
    for name in source:gmatch "%)%s+as%s+([%a_][%w_]*)" do own[name] = true end
    -- So are the names of parameters, which xfail says again, and of labels.
    for name in source:gmatch 'param%(%s*"([%a_][%w_]*)"' do own[name] = true end
    for list in source:gmatch "labels%s*=%s*(%b{})" do
        for name in list:gmatch "([%a_][%w_]*)%s*=" do own[name] = true end
    end
    for _, word in ipairs { "source", "target", "match" } do
        for list in source:gmatch("%f[%w_]" .. word .. "%s*=%s*(%b{})") do
            for name in list:gmatch "([%a_][%w_]*)%s*=" do own[name] = true end
        end
    end
    for list in source:gmatch "versions%s*=%s*(%b{})" do
        for name in list:gmatch "([%w_]+)%s*=%s*{" do own[name] = true end
    end
    return own
end

---The names of a source that no type declares.
local function undeclared(source)
    local own, list = own_names(source), {}
    local words = lexer.words(source)
    for i, w in ipairs(words) do
        local before, after = words[i - 1] or {}, words[i + 1] or {}
        local third = words[i - 2] or {}
        if w.kind == "name" and not syntax.KEYWORDS[w.text] then
            local is_member = before.text == "." or before.text == ":"
            local is_field = after.text == "=" and (before.text == "{" or before.text == ",")
            local is_named_by_user = third.text == "zone"
            if is_member or is_field then
                if not members[w.text] and not is_named_by_user and not own[w.text] then
                    list[#list + 1] = w.text
                end
            elseif not globals[w.text] and not own[w.text] then
                list[#list + 1] = w.text
            end
        end
    end
    return table.concat(list, " ")
end

ok(load(library) ~= nil, "the types are a Lua file")
ok(undeclared "fault.explode { at = 1 }" == "explode", "an undeclared member is noticed")
ok(undeclared 'servise "x" { replicas = 1 }' == "servise", "an undeclared global is noticed")
ok(undeclared 'service "x" { replicsa = 1 }' == "replicsa", "an undeclared field is noticed")
ok(undeclared 'alert "x" { labels = { sloth = "x" }, typpo = 1 }' == "typpo",
    "names of labels are the author's")
ok(undeclared 'scenario "x" { xfail = { sortt = 1 } } param("sort", { 1 })' == "sortt"
    and undeclared 'param("kind", { 1 }) scenario "x" { xfail = { kind = 1 } }' == "",
    "names of parameters are the author's")
ok(library:find("---@class (exact) ServiceFields", 1, true), "classes are exact")
ok(not library:find " \n" and not library:find "nil", "no line is half empty")

local FOLDERS = "scenarios zoo examples tests/golden/scenarios"
local paths = output(("cd '%s' && find %s -name '*.lua' | sort"):format(root, FOLDERS))
local count = 0
for path in paths:gmatch "[^\n]+" do
    local file <close> = assert(io.open(root .. "/" .. path))
    local source = file:read "a"
    count = count + 1
    ok(undeclared(source) == "", ("the types declare every name of %s"):format(path),
        undeclared(source))
end
ok(count >= 11, "there are scenarios to look at", count)

-- ---------------------------------------------------------------- every use of a type

local known, unknown = {}, nil
for name in library:gmatch "%-%-%-@class %(exact%) ([%w.]+)" do known[name] = true end
for name in library:gmatch "%-%-%-@alias ([%w]+)" do known[name] = true end
for line in library:gmatch "[^\n]+" do
    local text = line:match "^%-%-%-@field %S+ (.-)  " or line:match "^%-%-%-@return (.*)$"
        or line:match "^%-%-%-@param %S+ (.*)$" or line:match "^%-%-%-@class %(exact%) %w+: (.*)$"
    for name in (text or ""):gsub('"[^"]*"', ""):gmatch "%f[%w][%l.]*%u%w+" do
        if not known[name] then unknown = unknown or name .. ": " .. line end
    end
end
ok(not unknown, "every type that is named is declared", unknown)

-- ---------------------------------------------------------------- the manual

local manual = output(("'%s' man lorenz-scenario"):format(binary))
local missing, is_module
for line in library:gmatch "[^\n]+" do
    local class, field = line:match "@class %(exact%) (%S+)", line:match "@field ([%a_][%w_]*)"
    if class then is_module = class:find(".", 1, true) end -- its page has it, the manual its name
    if field and not is_module and not manual:find("%f[%w_]" .. field .. "%f[^%w_]") then
        missing = missing or field
    end
end
ok(not missing, "the manual has every field that editors know", missing)
local commands = output(("'%s' man lorenz"):format(binary))
local absent
for name in output(("'%s' help"):format(binary)):gmatch "\n  (%l+) " do
    if not commands:find('.SS "lorenz ' .. name, 1, true) then absent = absent or name end
    for option in output(("'%s' help %s"):format(binary, name)):gmatch "%-%-([%l-]+)" do
        if not commands:find("\\-\\-" .. option:gsub("%-", "\\-"), 1, true) then
            absent = absent or name .. " --" .. option
        end
    end
end
ok(not absent, "the manual has every command and option", absent)
if os.execute "command -v groff >/dev/null" then
    for _, page in ipairs { "lorenz", "lorenz-scenario" } do
        local said = output(("'%s' man %s | groff -man -Tascii -ww 2>&1 >/dev/null")
            :format(binary, page))
        ok(said == "", ("groff has no complaint about %s"):format(page), said)
    end
end

print("1.." .. n)
os.exit(failed == 0, true)
