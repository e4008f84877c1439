-- tidy.lua — the rules of the house style that a machine can check.
--
--     lua5.4 tests/tidy/tidy.lua [FOLDER]
--
-- Run at the root of the tree (or given it). Each complaint is one line, "file:line:
-- what", and a file that is merely long is a warning. `rules` works on texts, so that
-- test_tidy.lua can show it a bad one for each rule.

local M = {}

-- Arrows point one way; folders of equal rank do not know each other.
local RANK = {
    base = 1, promql = 2, sim = 2, model = 3, fault = 4, check = 5, record = 6, report = 7,
    script = 8, live = 9, explore = 9, repl = 10, cli = 11,
}
local LINE_MAX, FUNCTION_MAX, FILE_MAX, PARAM_MAX = 100, 70, 600, 6

-- Built from halves, so that this file does not find itself.
local UNFINISHED = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "HA" .. "CK" }

-- Data that people do not read line by line.
local DATA = { "tables%.[ch]$", "/golden/", "%.out$" }

local function is_data(path)
    for _, pattern in ipairs(DATA) do
        if path:find(pattern) then return true end
    end
    return false
end

---The rules that see one line.
local function check_line(path, line, complain)
    local width = utf8.len(line)
    if not width then
        complain "not UTF-8"
    elseif width > LINE_MAX and not is_data(path) and not path:find "%.md$" then
        complain(("%d columns, %d are allowed"):format(width, LINE_MAX))
    end
    if line:find "%s$" then complain "trailing space" end
    if line:find "^%s*\t" then complain "a tab for indentation" end
    for _, word in ipairs(UNFINISHED) do
        if line:find("%f[%w]" .. word .. "%f[%W]") then complain("unfinished: " .. word) end
    end
    local from, to = path:match "^src/(%w+)/", line:match '^#include "(%w+)/'
    if from and to and from ~= to and (RANK[to] or 99) >= (RANK[from] or 0) then
        complain(("%s/ may not include %s/"):format(from, to))
    end
end

local function check_guard(path, text, complain)
    local want = "LZ_" .. path:match "^src/(.+)$":gsub("[/.]", "_"):upper()
    if not text:find("#ifndef " .. want .. "\n#define " .. want .. "\n", 1, true) then
        complain(1, "include guard should be " .. want)
    end
    if not text:find "^/%*" then complain(1, "a header opens with what it is for") end
end

-- Parameters of a definition whose head is `head`; those of function pointers count once.
local function count_params(head)
    local list = head:match "(%b())%s*$"
    if not list or list == "(void)" then return 0 end
    list = list:sub(2, -2):gsub("%b()", "")
    local _, commas = list:gsub(",", "")
    return commas + 1
end

---The rules that see one file. `complain(line, text)` is called for each offence.
function M.rules(path, text, complain)
    local n, opened, head = 0, nil, ""
    local is_c = path:find "%.[ch]$" ~= nil
    for line in text:gmatch "([^\n]*)\n" do
        n = n + 1
        check_line(path, line, function(what) complain(n, what) end)
        if is_c and line == "{" then
            opened = n
            local params = count_params(head)
            -- A function that SQLite calls has the parameters that SQLite says.
            if params > PARAM_MAX and not head:find "sqlite3 %*" then
                complain(n - 1, ("%d parameters, %d are allowed"):format(params, PARAM_MAX))
            end
        elseif is_c and line == "}" and opened then
            if n - opened - 1 > FUNCTION_MAX then
                complain(opened, ("a function of %d lines, %d are allowed")
                    :format(n - opened - 1, FUNCTION_MAX))
            end
            opened = nil
        end
        head = (line == "" or line:find "^[}#/]" or line:find ";$") and "" or head .. " " .. line
    end
    if text ~= "" and text:sub(-1) ~= "\n" then complain(n + 1, "no newline at the end") end
    if path:find "^src/.+%.h$" then check_guard(path, text, complain) end
    if n > FILE_MAX and not is_data(path) then complain(nil, ("%d lines"):format(n)) end
end

---Names of C files a meson.build does not list.
function M.unlisted(meson, names)
    local missing = {}
    for _, name in ipairs(names) do
        if not meson:find("'[^'\n]*" .. name:gsub("%p", "%%%0") .. "'") then
            missing[#missing + 1] = name
        end
    end
    return missing
end

---The first two commands of main.c's table that are out of order, or nothing.
function M.unordered(main)
    local last = ""
    for name in main:match "commands%[%] = (%b{})":gmatch "&lz_cmd_([%w_]+)" do
        if name <= last then return last, name end
        last = name
    end
end

local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read "a"
end

local function list(command)
    local paths = {}
    local pipe <close> = assert(io.popen(command))
    for path in pipe:lines() do paths[#paths + 1] = path:gsub("^%./", "") end
    table.sort(paths)
    return paths
end

-- Whole layers: what a meson.build forgets is never compiled, so nothing else notices.
local function check_layers(paths, complain)
    local by_folder = {}
    for _, path in ipairs(paths) do
        local folder, name = path:match "^src/(%w+)/(.+%.c)$"
        if folder then
            by_folder[folder] = by_folder[folder] or {}
            table.insert(by_folder[folder], name)
        end
    end
    local elsewhere = read "src/cli/meson.build"
    for folder, names in pairs(by_folder) do
        local meson = "src/" .. folder .. "/meson.build"
        for _, name in ipairs(M.unlisted(read(meson) .. elsewhere, names)) do
            complain(meson, 1, name .. " is not listed")
        end
    end
end

function M.main(root)
    if root then os.exit(os.execute(("cd '%s' && lua5.4 tests/tidy/tidy.lua"):format(root))) end
    local found = 0
    local function complain(path, line, what)
        if line then found = found + 1 end
        io.stderr:write(line and ("%s:%d: %s\n"):format(path, line, what)
            or ("%s: warning: %s\n"):format(path, what))
    end
    local paths = list(
        "find src lua stdlib tests scenarios zoo examples tools -path '*/fuzz/corpus' -prune -o "
            .. "-type f \\( -name '*.[ch]' -o -name '*.lua' -o -name meson.build -o -name '*.sh' "
            .. "-o -name '*.md' \\) -print")
    for _, path in ipairs(paths) do
        M.rules(path, read(path), function(line, what) complain(path, line, what) end)
    end
    check_layers(paths, complain)
    local first, second = M.unordered(read "src/cli/main.c")
    if first then
        complain("src/cli/main.c", 1, ("command %s comes before %s"):format(second, first))
    end
    print(("%d files, %d complaints"):format(#paths, found))
    os.exit(found == 0, true)
end

if arg and arg[0]:find "tidy/tidy%.lua$" then M.main(arg[1]) end
return M
