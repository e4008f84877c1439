--- Plain text in columns: what pages of documentation are laid out with.
---
--- ```lua
--- text.wrap("a long sentence", 80, "  ")            --> lines, each indented
--- text.rows({ { "at", "an instant" } }, 80)         --> "  at  an instant\n"
--- ```
local M = {}

local NAME_MAX = 20 -- columns

--- Columns that a text takes, near enough: characters.
local function len(s) return utf8.len(s) or #s end

local function pad(s, columns) return s .. (" "):rep(columns - len(s)) end

--- A text as a terminal may be given it: no control characters, nothing that reorders.
function M.clean(s)
    s = s:gsub("[%c\127]", "?"):gsub("\194[\128-\159]", "?")
    return (s:gsub("\226\128[\168-\174]", "?"):gsub("\226\129[\166-\169]", "?"))
end

--- Words in lines of at most `width`, each after `indent`.
---@return string[]
function M.wrap(text, width, indent)
    local lines, line = {}, nil
    for word in text:gmatch "%S+" do
        if line and len(indent) + len(line) + 1 + len(word) > width then
            lines[#lines + 1] = indent .. line
            line = word
        else
            line = line and line .. " " .. word or word
        end
    end
    if line then lines[#lines + 1] = indent .. line end
    return lines
end

function M.paragraph(text, width, indent)
    return table.concat(M.wrap(text, width, indent or ""), "\n") .. "\n"
end

--- An example, indented, as it was written.
function M.code(text, indent)
    local out = {}
    for line in (text:gsub("\n$", "") .. "\n"):gmatch "([^\n]*)\n" do
        out[#out + 1] = line == "" and "" or (indent or "    ") .. line
    end
    return table.concat(out, "\n") .. "\n"
end

local function widths(rows, columns, longest)
    local most = {}
    for i = 1, columns do
        most[i] = 0
        for _, row in ipairs(rows) do
            if len(row[i]) <= longest then most[i] = math.max(most[i], len(row[i])) end
        end
    end
    return most
end

--- Rows of equally many texts: all columns but the last are as wide as they need, the last is
--- wrapped below itself. A first column of more than `longest` stands on a line of its own, with
--- the others if there is room for them.
function M.rows(rows, width, longest)
    if #rows == 0 then return "" end
    local columns = #rows[1] - 1
    local most, out = widths(rows, columns, longest or NAME_MAX), {}
    local room = 2
    for i = 1, columns do room = room + most[i] + 2 end
    for _, row in ipairs(rows) do
        local head = ""
        for i = 1, columns do head = head .. "  " .. pad(row[i], most[i]) end
        head = head .. "  "
        if len(head) > width and columns > 1 then
            out[#out + 1] = "  " .. row[1]
            head = "  " .. pad("", most[1])
            for i = 2, columns do head = head .. "  " .. pad(row[i], most[i]) end
            head = head .. "  "
        end
        if len(head) > room then
            out[#out + 1] = (head:gsub("%s+$", ""))
            head = (" "):rep(room)
        end
        local lines = M.wrap(row[columns + 1], width, (" "):rep(room))
        if lines[1] then lines[1] = head .. lines[1]:sub(room + 1) end
        out[#out + 1] = lines[1] and table.concat(lines, "\n") or (head:gsub("%s+$", ""))
    end
    return table.concat(out, "\n") .. "\n"
end

--- Names side by side, wrapped.
function M.names(names, width)
    local lines, line = {}, nil
    for _, name in ipairs(names) do
        if line and len(line) + 2 + len(name) > width then
            lines[#lines + 1] = line
            line = nil
        end
        line = (line or "") .. "  " .. name
    end
    lines[#lines + 1] = line
    return table.concat(lines, "\n") .. "\n"
end

--- The keys of a table, sorted.
function M.keys(t)
    local names = {}
    for name in pairs(t) do names[#names + 1] = tostring(name) end
    table.sort(names)
    return names
end

return M
