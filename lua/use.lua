--- `use "kubernetes"`, `use "./topologies/shop.lua"`: modules, in the same sandbox as the scenario.
---
--- A module is run once, when it is first used, and what it returns is what `use` returns. Names
--- are of the standard library, which is part of the program; what begins with "./" or "../" is a
--- file beside the one that says `use`, inside the project's folder.
local diag = require "diag"
local units = require "units"

local M = {}
local POISON = diag.POISON

local MODULES_MAX = 100

local function wrong(state, line, code, text, help)
    return state.diag.add { code = code, line = line, word = "use", text = text, help = help }
end

--- Where a text comes from: { key, path, source }, or nothing once it is said why not.
local function find_file(state, line, name)
    -- `return use "./x.lua"` leaves no frame of its module: a tail call.
    local user = state.using[#state.using]
    local from = state.files.rank(line) == 1 and user or state.files.get(line)
    local source, path, key = state.C.read_file(from.path, name)
    if source then return { key = "file:" .. key, path = path, source = source } end
    if key then -- it leads outside
        wrong(state, line, "LZ119", path, "the project is the nearest folder above the scenario "
            .. "with a lorenz.conf.lua or a .git, or else the scenario's own folder")
    else
        wrong(state, line, "LZ117", path, "a file's name is relative to the file that uses it")
    end
end

local function find_module(state, line, name)
    local source = state.C.stdlib(name)
    if source then
        return { key = "stdlib:" .. name, path = ("stdlib/%s.lua"):format(name), source = source }
    end
    local names = state.C.stdlib_names()
    local near = diag.nearest(name, names)
    local is_path = name:find "[/\\]" or name:find "%.lua$"
    wrong(state, line, "LZ117", ('there is no module "%s"'):format(name),
        is_path and ('a file is named from where it is used: use "./%s"'):format(name)
            or near and ('a module with a similar name exists: "%s"'):format(near)
            or "the modules are " .. table.concat(names, " "))
end

--- `a.lua uses b.lua, which uses a.lua`
local function chain_text(state, module)
    local parts, from = { state.files.files[1].path }, false
    for _, m in ipairs(state.using) do
        if m.key == module.key and not from then parts, from = {}, true end
        parts[#parts + 1] = m.path
    end
    parts[#parts + 1] = module.path
    return table.concat(parts, " uses ")
end

local function run(state, line, module)
    local _, _, outer = state.files.get(line)
    module.chunk = "@" .. module.path
    module.outer = outer or line
    state.files.add(module)
    local chunk = state.compile(module)
    if not chunk then return POISON end
    state.using[#state.using + 1] = module
    local value = chunk()
    state.using[#state.using] = nil
    if value == nil then
        return wrong(state, line, "LZ117", ("%s returns nothing"):format(module.path),
            "a module ends with `return` and a table of what it has")
    end
    return value
end

local function read_name(state, line, name)
    if type(name) ~= "string" or name == "" then
        wrong(state, line, "LZ117", "use takes the name of a module, got " .. units.kind_of(name),
            'write use "kubernetes" or use "./topologies/shop.lua"')
        return nil
    elseif name:find "[%z\n]" then
        wrong(state, line, "LZ117", "the name of a module is one line of text")
        return nil
    end
    return name:find "^%.%.?/" and find_file(state, line, name) or not name:find "^%.%.?/"
        and find_module(state, line, name) or nil
end

--- The word, for one state.
function M.word(state)
    state.modules, state.using = {}, {}
    local count = 0
    return function(name)
        if state.running then error("LZ503: `use` belongs to the top level of a file", 2) end
        local line = state.line()
        if name == POISON then return POISON end
        local found = read_name(state, line, name)
        if not found then return POISON end
        local known = state.modules[found.key]
        if known and known.is_done then return known.value end
        if known then
            return wrong(state, line, "LZ118", "this module uses itself: " .. chain_text(state,
                known), "move what both need into a third module")
        end
        count = count + 1
        if count > MODULES_MAX then
            return wrong(state, line, "LZ117", ("a scenario uses at most %d modules"):format(
                MODULES_MAX))
        end
        state.modules[found.key] = found
        found.value = run(state, line, found)
        found.is_done = true
        return found.value
    end
end

return M
