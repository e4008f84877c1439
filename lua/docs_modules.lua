--- The standard library's modules, as their own comments describe them.
---
--- A module opens with a comment, which has an example, and annotates what it returns as editors
--- understand it. Pages and types are made from that, so a module has no other documentation to
--- keep in step.
local text = require "docs_text"

local M = {}

--- A comment's lines without their dashes.
local function bare(block)
    local lines = {}
    for i, line in ipairs(block) do lines[i] = line:gsub("^%-%-%-? ?", "") end
    return lines
end

--- A module's source as its head, the classes it declares and the functions it returns.
---@return { head: string[], classes: string[][], functions: table[] }
function M.parse(source)
    local module, block, is_first = { head = {}, classes = {}, functions = {} }, {}, true
    for line in (source .. "\n"):gmatch "([^\n]*)\n" do
        local name, args = line:match "^function M%.([%w_]+)(%b())"
        if line:match "^%-%-%-" then
            block[#block + 1] = line
        else
            if is_first then module.head = bare(block)
            elseif name then
                module.functions[#module.functions + 1] = { name = name, args = args,
                    block = block }
            elseif block[1] and block[1]:match "^%-%-%-@class" then
                module.classes[#module.classes + 1] = block
            end
            block, is_first = {}, false
        end
    end
    return module
end

--- The text and the example of a head.
local function split_head(head)
    local said, code, is_code = {}, {}, false
    for _, line in ipairs(head) do
        if line:match "^```" then is_code = not is_code
        elseif is_code then code[#code + 1] = line
        else said[#said + 1] = line end
    end
    return table.concat(said, " "), table.concat(code, "\n")
end

--- The first sentence of a module, for lists.
function M.summary(source)
    local said = split_head(M.parse(source).head)
    return (said:match "^(.-)%.%s" or said):gsub("%.$", "")
end

--- What a function's annotations say: its text, and a row for each parameter and result.
local function describe(f)
    local said, rows = {}, {}
    for _, line in ipairs(bare(f.block)) do
        local name, doc = line:match "^@param (%S+) %S+%s*(.*)$"
        local result = line:match "^@return (.*)$"
        if name then rows[#rows + 1] = { name, doc }
        elseif result then rows[#rows + 1] = { "returns", result }
        else said[#said + 1] = line end
    end
    return table.concat(said, " "), rows
end

---@param name string
---@param source string
---@return string
function M.page(name, source, width)
    local module = M.parse(source)
    local said, code = split_head(module.head)
    local out = { name, "\n\n", text.paragraph(said, width, "  ") }
    for _, f in ipairs(module.functions) do
        local what, rows = describe(f)
        out[#out + 1] = ("\n%s.%s%s\n\n"):format(name, f.name, f.args)
        out[#out + 1] = text.paragraph(what, width, "  ")
        out[#out + 1] = #rows > 0 and "\n" .. text.rows(rows, width) or ""
    end
    for _, class in ipairs(module.classes) do
        local rows = {}
        for _, line in ipairs(bare(class)) do
            local field, doc = line:match "^@field (%S+) %S+%s*(.*)$"
            if field then rows[#rows + 1] = { "." .. field, doc } end
        end
        out[#out + 1] = ("\n%s\n\n%s"):format(class[1]:match "@class%s+%(exact%)%s+(%S+)"
            or class[1]:match "@class%s+(%S+)", text.rows(rows, width))
    end
    if code ~= "" then out[#out + 1] = "\nExample\n\n" .. text.code(code) end
    return table.concat(out)
end

--- The module as types: its classes, and a class of its functions.
---@return string[]
function M.types(name, source)
    local module, out = M.parse(source), {}
    for _, class in ipairs(module.classes) do
        out[#out + 1] = ""
        for _, line in ipairs(class) do out[#out + 1] = line end
    end
    out[#out + 1] = ("\n---@class (exact) %s\nlocal %s = {}"):format(name, name)
    for _, f in ipairs(module.functions) do
        out[#out + 1] = ""
        for _, line in ipairs(f.block) do out[#out + 1] = line end
        out[#out + 1] = ("function %s.%s%s end"):format(name, f.name, f.args)
    end
    return out
end

return M
