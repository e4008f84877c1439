-- harness.lua — rows of commands, each run in a fresh folder, and what must come of them.
--
-- A row is a name, a shell command, the exit status, and by name:
--
--     out, err   plain texts that must occur (or, after "!", must not) in a stream
--     env        assignments for its environment, which else holds PATH, LANG and $L, the binary
--     skip       a command before it
--     (a command that ends with 77 could not be tried: the row is skipped, and what it said last
--     on stderr is why)
--     ascii      standard output is 7-bit; width: and has at most so many columns
local binary, scenarios = arg[1], arg[2]

local function quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
    local file <close> = io.open(path, "rb")
    return file and file:read "a" or ""
end

local function make_folder()
    local pipe <close> = assert(io.popen "mktemp -d")
    return pipe:read "l"
end

local ABSOLUTE = binary:sub(1, 1) == "/" and binary or os.getenv "PWD" .. "/" .. binary
local SCENARIOS = scenarios:sub(1, 1) == "/" and scenarios or os.getenv "PWD" .. "/" .. scenarios

---Run a command in a fresh folder; gives its status, output and error output.
local function run(command, env)
    local folder = make_folder()
    os.execute(("cp -r %s %s"):format(quote(SCENARIOS), quote(folder .. "/s")))
    local parts = { "cd", quote(folder), "&& env -i", "PATH=" .. quote(os.getenv "PATH"),
                    "L=" .. quote(ABSOLUTE), "LANG=C.UTF-8" }
    for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
        local value = os.getenv(name)
        if value then parts[#parts + 1] = name .. "=" .. quote(value) end
    end
    parts[#parts + 1] = env or ""
    parts[#parts + 1] = "sh -c " .. quote(command)
    parts[#parts + 1] = (">%s 2>%s"):format(quote(folder .. "/.out"), quote(folder .. "/.err"))
    local _, _, status = os.execute(table.concat(parts, " "))
    local out, err = read(folder .. "/.out"), read(folder .. "/.err")
    os.execute("rm -rf " .. quote(folder))
    return status, out, err
end

local function widest(text)
    local most = 0
    for line in text:gmatch "[^\n]*" do most = math.max(most, utf8.len(line) or #line) end
    return most
end

-- Nil, or what is not as the row wants it.
local function judge(row, status, out, err)
    if status ~= row[3] then return ("status %s, wanted %d"):format(status, row[3]) end
    for _, stream in ipairs { { row.out, out, "stdout" }, { row.err, err, "stderr" } } do
        for _, text in ipairs(stream[1] or {}) do
            local plain = text:gsub("^!", "")
            local found = stream[2]:find(plain, 1, true) ~= nil
            if found ~= (text == plain) then
                return ("%s %s %q"):format(stream[3], found and "contains" or "lacks", plain)
            end
        end
    end
    if row.ascii and out:find "[\128-\255]" then return "stdout is not 7-bit" end
    if row.width and widest(out) > row.width then return widest(out) .. " columns" end
end

return function(rows)
    local failed = 0
    print("1.." .. #rows)
    for i, row in ipairs(rows) do
        local status, out, err = run((row.skip or "") .. row[2], row.env)
        local is_skipped = status == 77 and row[3] ~= 77
        local wrong = not is_skipped and judge(row, status, out, err)
        print(("%s %d - %s%s"):format(wrong and "not ok" or "ok", i, row[1],
            is_skipped and " # SKIP " .. (err:match "([^\n]*)\n*$" or "") or ""))
        if wrong then
            failed = failed + 1
            local streams = "stdout:\n" .. out .. "stderr:\n" .. err
            print(("# %s\n# %s\n%s"):format(row[2], wrong, streams:gsub("[^\n]+", "#   %0")))
        end
    end
    os.exit(failed == 0, true)
end
