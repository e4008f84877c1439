-- prompt.lua — sessions at the prompt that go on, back, aside and elsewhere, by chance.
--
--     lua5.4 tests/fuzz/prompt.lua LORENZ FOLDER COUNT FIRST FILE...
--
-- Session number N opens one of FILEs and types what is drawn from N: `.run`, `.step`, `.back`,
-- `.goto`, `.fork`, `.switch`, and things that only look. Nothing it types changes the world, so
-- the trace's hash is a function of how many events have been: whichever way it came there, and in
-- whichever session. No command may end it but the last, and none by an internal error.
package.path = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/?.lua;" .. package.path
local files = require "files"

local lorenz, folder = arg[1], arg[2]
local count, first = tonumber(arg[3]), tonumber(arg[4])
local scenarios = table.move(arg, 5, #arg, 1, {})
assert(#scenarios > 0, "prompt.lua needs scenarios to open")

local ASK <const> = ".sql select 'at', events, trace_hash from run"

local function any(list) return list[math.random(#list)] end

local function time()
    return any { "%dms", "%dus", "%ds", "%ds" }:format(math.random(any { 9, 90, 900 }))
end

-- Seconds: what is run anew must not take long.
local function instant() return ("%.3fs"):format(math.random(0, 40000) / 1000) end

local looks <const> = { ".forks", ".events 3", ".top", ".expect", ".snapshots", ".faults", ".why",
    ".timeline", ".watch", "requests", "1 + 1", "1 +", "nothing.at.all", ".back to tomorrow", ".",
    ".switch nowhere", ".goto", ".step -1" }

local function typed()
    local lines, forks = {}, { "main" }
    local moves = {
        function() return ".run " .. any { "to " .. instant(), "to " .. instant(), time() } end,
        function() return ".step " .. math.random(any { 3, 300 }) end,
        function() return ".next" end,
        function() return ".back " .. any { "to " .. instant(), time() } end,
        function() return ".goto " .. instant() end,
        function()
            forks[#forks + 1] = "f" .. #forks
            return ".fork " .. forks[#forks]
        end,
        function() return ".switch " .. any(forks) end,
        function() return any(looks) end,
    }
    for _ = 1, math.random(5, 25) do
        lines[#lines + 1] = any(moves)()
        lines[#lines + 1] = ASK
    end
    lines[#lines + 1] = ".quit"
    return table.concat(lines, "\n") .. "\n"
end

local wrong = 0
local function say(number, text, ...)
    wrong = wrong + 1
    io.stderr:write(("session %d: %s\n"):format(number, text:format(...)))
end

-- Hashes by file and events, and the session that met each first.
local known, met, again = {}, 0, 0
local function judge(number, file, text, status)
    for events, hash in text:gmatch "\nat +(%d+) +(%x+)" do
        local key = file .. " " .. events
        local before = known[key] or { hash = hash, number = number }
        again = again + (known[key] and 1 or 0)
        known[key] = before
        met = met + 1
        if before.hash ~= hash then
            say(number, "%s after %s events is %s, and was %s in session %d", file, events, hash,
                before.hash, before.number)
        end
    end
    if text:find "internal error" then say(number, "an internal error\n%s", text) end
    if status ~= 0 then say(number, "exit %s\n%s", status, text) end
end

files.clear(folder)
for number = first, first + count - 1 do
    math.randomseed(number, 21)
    local file, path = any(scenarios), ("%s/%d"):format(folder, number)
    files.write(path, typed())
    judge(number, file, files.run(("cd '%s' && XDG_CONFIG_HOME='%s' '%s' repl '%s' "
        .. "--color never <'%s'"):format(folder, folder, lorenz, file, path), 60))
end
if again < count then say(first, "only %d of %d states were met before", again, met) end

print "1..1"
print(("%s 1 - %d sessions from number %d are in %d states, in %d not for the first time"):format(
    wrong == 0 and "ok" or "not ok", count, first, met, again))
if wrong == 0 then os.execute(("rm -rf '%s'"):format(folder)) end
os.exit(wrong == 0)
