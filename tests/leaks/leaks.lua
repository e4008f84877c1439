-- Leaks planted on purpose are found, by the option that promises to, and named. TAP.
--
--     lua5.4 leaks.lua LEAKY_LORENZ SCENARIO
local lorenz, scenario = arg[1], arg[2]

local function run(leak, option)
    local command = ("LZ_LEAK=%s %s run --keep none --color never --width 80 %s %s 2>&1")
        :format(leak, lorenz, option, scenario)
    local pipe = assert(io.popen(command .. "; echo \"exit $?\""))
    local text = pipe:read "a"
    pipe:close()
    return text
end

local EVENT = "2%." .. ("%d"):rep(9) .. "s  [%w_. ]+  entity %d+  payload 0x%x+\n"

-- Name, leak, option, exit status, texts that must occur.
local rows = {
    { "without a leak a plain second run is equal", "none", "--verify", 0, "1 passed" },
    { "without a leak a shaken second run is equal", "none", "--shake", 0, "1 passed" },
    { "an address is found by --shake", "address", "--shake", 6, "not reproducible",
        "event %d+ differs:", "first run +" .. EVENT, "second run +" .. EVENT,
        "1 not reproducible" },
    { "an address repeats, and --verify cannot see it", "address", "--verify", 0, "1 passed" },
    { "the order of a hash is found by --shake", "hash", "--shake", 6, "event %d+ differs:",
        "another Lua hash seed" },
    { "the clock is found by --verify", "clock", "--verify", 6, "event %d+ differs:" },
    { "the clock is found by --shake", "clock", "--shake", 6, "event %d+ differs:" },
    { "a result that no event shows is found by --shake", "record", "--shake", 6,
        "all %d+ events are equal, but what was judged or recorded of them is not" },
    { "a Lua whose seed cannot be pinned is said to be so, and runs", "unpinned", "--verify", 0,
        "hash cannot be pinned", "1 passed" },
    { "a second run that crashes is no equal one", "crash", "--shake", 6,
        "the second run crashed, after at least %d+ equal events" },
}

local failed = 0
for i, row in ipairs(rows) do
    local text = run(row[2], row[3])
    local ok = text:find(("exit %d\n"):format(row[4])) ~= nil
    for k = 5, #row do ok = ok and text:find(row[k]) ~= nil end
    if not ok then
        failed = failed + 1
        print("# " .. text:gsub("\n", "\n# "))
    end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", i, row[1]))
end
print("1.." .. #rows)
os.exit(failed == 0, true)
