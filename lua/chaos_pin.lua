--- A scenario's text with the faults in it that its blocks of chaos bring, in their place.
---
--- Each is written as the set has it, with `at` for `mtbf` and the replica that was drawn, so that
--- it can be left out, moved or made smaller by itself. A block whose set is not written out in it
--- stays.
local atoms = require "atoms"
local chaos = require "chaos"

local M = {}

--- The part of a component that is counted, as faults name it.
local PARTS = { service = "replica", balancer = "replica", gateway = "replica",
    consumers = "member" }

--- Exactly, in the shortest unit that needs no more than three digits behind the point.
local function instant(ns)
    if ns % 1000000 == 0 then
        return (("%.3f"):format(ns / 1e9):gsub("0+$", ""):gsub("%.$", "")) .. "s"
    end
    return ("%dns"):format(ns)
end

--- The statement of a block, and those of its items that are faults.
local function find_block(list, line)
    for index, atom in ipairs(list) do
        if atom.kind == "statement" and atom.line == line and atom.label:find "^chaos" then
            local set = {}
            for i, item in ipairs(list) do
                if item.parent == index and item.kind == "item" and item.is_list then
                    set[#set + 1] = { index = i, atom = item }
                end
            end
            return atom, set
        end
    end
end

--- One fault of the set as it comes; nil if it is written somewhere else.
local function write_fault(source, list, item, c)
    local out, at = {}, item.atom.first
    if not source:find("^fault%.", at) then return nil end
    local first = true
    for _, field in ipairs(list) do
        if field.parent == item.index and field.kind == "item" then
            local text = source:sub(field.first, field.last):gsub("[,;]$", "")
            local comma = source:sub(field.first + #text, field.last)
            if field.key == "mtbf" then text = ('at = "%s"'):format(instant(c.at)) end
            if field.is_list and first and c.ordinal then
                local part = PARTS[c.facts.a.component.kind] or "node"
                text = ("%s.%s[%d]"):format(text, part, c.ordinal)
            end
            first = first and not field.is_list
            out[#out + 1] = source:sub(at, field.first - 1) .. text .. comma
            at = field.last + 1
        end
    end
    return (table.concat(out) .. source:sub(at, item.atom.last)):gsub("[,;]$", "")
end

local function write_block(source, list, block)
    local atom, set = find_block(list, block.row)
    local lines = {}
    if not atom or #set ~= #block.set then return source end
    for number, c in ipairs(block.come) do
        if chaos.is_wanted(block.fields.only, number) then
            local text = write_fault(source, list, set[c.index], c)
            if not text then return source end
            lines[#lines + 1] = text .. "\n"
        end
    end
    local rest = source:sub(atom.last + 1)
    return source:sub(1, atom.first - 1) .. table.concat(lines) .. rest
end

---@param seed integer
---@return string
function M.pin(state, seed)
    local source = state.files.files[1].source
    chaos.expand(state, seed)
    for i = #state.plan.chaos, 1, -1 do -- the last first: places before it stay what they are
        local block = state.plan.chaos[i]
        local file, line = state.files.rank(block.line)
        block.row = line
        if file == 1 then source = write_block(source, atoms.find(source), block) end
    end
    return source
end

return M
