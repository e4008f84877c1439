-- Sessions at the prompt: what is typed in each *.session goes in by a pipe, and what comes out
-- must equal the .out beside it, twice. The first line says what is opened: `-- PATH [options]`.
--
--     lua5.4 repl.lua LORENZ [--write]
local lorenz, write = arg[1], arg[2] == "--write"
local here = arg[0]:match "^(.*)/" or "."

local function read(path)
    local f = io.open(path, "rb")
    if not f then return nil end
    local text = f:read "a"
    f:close()
    return text
end

local function run(session)
    local what = session:match "^%-%- ([^\n]*)\n"
    local typed = os.tmpname()
    local f = assert(io.open(typed, "wb"))
    f:write((session:gsub("^[^\n]*\n", "", 1)))
    f:close()
    local command = "cd '%s' && '%s' repl %s --color never --width 80 <'%s' 2>&1; echo exit $?"
    local p = assert(io.popen(command:format(here, lorenz, what, typed)))
    local out = p:read "a"
    p:close()
    os.remove(typed)
    return (out:gsub("token lz1%-(%d+)%-%x+%-%x+", "token lz1-%1-SCENARIO-ENGINE"))
end

local names = {}
for name in io.popen(("ls '%s'/*.session"):format(here)):lines() do names[#names + 1] = name end
local failed = 0
for i, name in ipairs(names) do
    local session, golden = read(name), name:gsub("%.session$", ".out")
    local out = run(session)
    if write then
        local f = assert(io.open(golden, "wb"))
        f:write(out)
        f:close()
    end
    local expected = read(golden)
    local good = out == expected and run(session) == out
    if not good then
        failed = failed + 1
        for line in out:gmatch "[^\n]*" do print("# " .. line) end
    end
    print(("%s %d - %s"):format(good and "ok" or "not ok", i, name:match "([^/]*)%.session$"))
end
print("1.." .. #names)
os.exit(failed == 0)
