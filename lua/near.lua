--- The nearest of some names by edit distance, if it is near enough to be meant. Two letters in
--- the wrong order are one edit.
local M = {}

local LEN_MAX = 64 -- nobody misspells more; and the work grows with the square
local PART_MIN = 4

local function distance(a, b)
    local before, row = {}, {}
    for j = 0, #b do row[j] = j end
    for i = 1, #a do
        local next = { [0] = i }
        for j = 1, #b do
            local same = a:byte(i) == b:byte(j)
            local value = math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same and 0 or 1))
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                value = math.min(value, before[j - 2] + 1)
            end
            next[j] = value
        end
        before, row = row, next
    end
    return row[#b]
end

-- The only one of which it is a word of several, as `surge` is of max_surge.
local function only_longer(name, names)
    if #name < PART_MIN then return nil end
    local found
    for _, other in ipairs(names) do
        if ("_" .. other .. "_"):find("_" .. name .. "_", 1, true) then
            if found then return nil end
            found = other
        end
    end
    return found
end

--- The nearest, and whether no other is as near: the first of several is a guess.
---@param names string[]
---@return string? name, boolean? is_certain
function M.find(name, names)
    if #name > LEN_MAX then return nil end
    local best, best_distance, is_only = nil, math.huge, false
    for _, other in ipairs(names) do
        if math.abs(#other - #name) <= best_distance and other ~= best then
            local d = distance(name, other)
            if d < best_distance then best, best_distance, is_only = other, d, true
            elseif d == best_distance then is_only = false end
        end
    end
    if best and best_distance <= math.max(1, #name // 3) then
        return best, is_only and best_distance < #name
    end
    return only_longer(name, names), false
end

return M
