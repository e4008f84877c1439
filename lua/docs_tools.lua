--- Pages about other tools' words: what Chaos Mesh, Litmus, Gremlin and others call what is here.
---
--- ```lua
--- docs_tools.page("chaos-mesh", 80)    --> a table of its words and ours
--- docs_tools.page("pod-kill", 80)      --> what that one is here
--- ```
local text = require "docs_text"
local tools = require "tools"

local M = {}

local function comma(words) return (words:gsub(" ", ", ")) end

--- What a row says of ours: topics, then how to write it.
local function ours_of(row)
    if not row[3] then return row[4] end
    return comma(row[3]) .. (row[4] and " (" .. row[4] .. ")" or "")
end

-- Several tools share a page: then each row's group is a tool by itself.
local function is_shared(tool) return tool[2]:find(",", 1, true) ~= nil end

--- Jepsen, of the page that it shares: its rows alone.
local function part_of(tool, asked)
    local rows = {}
    for _, row in ipairs(tool[3]) do
        if tools.plain(row[1]) == asked then rows[#rows + 1] = row end
    end
    return #rows > 0 and is_shared(tool) and { tool[1], rows[1][1], rows } or nil
end

local function tool_page(tool, width)
    local page, rows = { tool[2] .. "\n\n" .. text.paragraph("Their words, where they stand, and "
        .. "what they are here. How a fault differs from theirs is on its page, such as lorenz "
        .. "explain fault.kill, below \"In other tools\".", width, "  ") }, {}
    for i, row in ipairs(tool[3]) do
        rows[#rows + 1] = { comma(row[2]), ours_of(row) }
        local following = tool[3][i + 1]
        if not following or following[1] ~= row[1] then
            page[#page + 1] = ("\n%s\n\n%s"):format(row[1], text.rows(rows, width, 24))
            rows = {}
        end
    end
    return table.concat(page)
end

local function all_page(width)
    local names, top, common = {}, {}, {}
    for i, tool in ipairs(tools.list) do names[i] = { tool[1], tool[2] } end
    for _, word in ipairs(text.keys(tools.top)) do
        top[#top + 1] = { word, tools.top[word] }
    end
    for _, word in ipairs(text.keys(tools.common)) do
        common[#common + 1] = { word, "fault." .. tools.common[word]:gsub(" ", ", fault.") }
    end
    return "tools\n\n" .. text.paragraph("What other tools' words are here. Each tool has a page, "
            .. "and so has each of its words: lorenz explain pod-kill.", width, "  ")
        .. "\nTools\n\n" .. text.rows(names, width) .. "\nBlocks and fields\n\n"
        .. text.rows(top, width) .. "\nFaults\n\n" .. text.rows(common, width)
end

-- What a word means elsewhere: whose it is, and ours.
local function meanings(word)
    local rows = {}
    for i, e in ipairs(tools.find(word)) do
        local whose = is_shared { "", e[1] } and e[2][1] or e[1] .. ", " .. e[2][1]
        rows[i] = { ("%s: %s"):format(whose, comma(e[2][2])), ours_of(e[2]) }
    end
    local kinds, top = tools.fault(word), tools.word(word)
    if #rows == 0 and kinds and #kinds > 0 then
        rows[1] = { "many tools", "fault." .. table.concat(kinds, ", fault.") }
    end
    if top then rows[#rows + 1] = { "many tools", top } end
    return rows
end

local function word_page(word, width)
    local rows = meanings(word)
    if #rows == 0 then return nil end
    return ("%s\n\n%s\n%s"):format(word, text.paragraph("A word of other tools, and what it is "
        .. "here.", width, "  "), text.rows(rows, width, 32))
end

--- What follows the page of a word that is ours and theirs, and means something else there.
---@param word string
---@param width integer
---@return string?
function M.elsewhere(word, width)
    local rows = meanings(word)
    return #rows > 0 and "In other tools\n\n" .. text.rows(rows, width, 32) or nil
end

--- The page of a tool, of a word of theirs, or of all tools ("tools"); nil if it is none.
---@param topic string
---@param width integer
---@return string?
function M.page(topic, width)
    if topic == "tools" then return all_page(width) end
    local asked = tools.plain(topic)
    for _, tool in ipairs(tools.list) do
        if asked == tools.plain(tool[1]) or asked == tools.plain(tool[2]) then
            return tool_page(tool, width)
        end
        local part = part_of(tool, asked)
        if part then return tool_page(part, width) end
    end
    return word_page(topic, width)
end

--- The topics, as { name, doc }.
function M.topics()
    local list = {}
    for i, tool in ipairs(tools.list) do
        list[i] = { tool[1], ("words of %s, and ours"):format(tool[2]) }
    end
    return list
end

return M
