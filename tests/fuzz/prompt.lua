-- prompt.lua — sessions at the prompt that go on, back, aside and elsewhere, by chance.
--
--     lua5.4 tests/fuzz/prompt.lua LORENZ FOLDER COUNT FIRST FILE...
--
-- Session number N opens one of FILEs and types what is drawn from N: `.run`, `.step`, `.back`,
-- `.goto`, `.fork`, `.switch`, and things that only look. Nothing it types changes the world, so
-- the trace's hash is a function of how many events have been: whichever way it came there,
-- stopped by a break or not, and in whichever session. Of each file a first session goes straight
-- on, so that all others are held to a straight run. No command may end a session but the last, and
-- none by an internal error.
--
-- A fault that is typed changes it: whoever types it at an instant, having been elsewhere or not,
-- or having tried it in a fork, is in the same state some time later, and in another than without.
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

-- A break at an instant of the scenario's own, or at what its traffic or a service does.
local function stop_when(traffic)
    local limit = any { 'goodput:%s "%d/s"', 'latency.p99:%s "%dms"', 'errors.ratio:%s "%d%%"' }
    return (".break when %s."):format(traffic)
        .. limit:format(any { "above", "below" }, math.random(any { 5, 90 }))
end

-- Lines that go about.
local function wander(moves_made, has_looks, traffic)
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
    }
    if traffic then
        moves[#moves + 1] = function() return stop_when(traffic) end
        moves[#moves + 1] = function() return ".clear " .. math.random(3) end
    end
    if has_looks then moves[#moves + 1] = function() return any(looks) end end
    for _ = 1, moves_made do lines[#lines + 1] = any(moves)() end
    return lines
end

local function typed(file)
    local traffic = files.read(file):match '\nlocal (%w+) *= *traffic "'
    return table.concat(wander(math.random(5, 25), true, traffic), "\n" .. ASK .. "\n")
        .. "\n" .. ASK .. "\n.quit\n"
end

local wrong = 0
local function say(number, text, ...)
    wrong = wrong + 1
    io.stderr:write(("session %s: %s\n"):format(number, text:format(...)))
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
            say(number, "%s after %s events is %s, and was %s in session %s", file, events, hash,
                before.hash, before.number)
        end
    end
    if text:find "internal error" then say(number, "an internal error\n%s", text) end
    if status ~= 0 then say(number, "exit %s\n%s", status, text) end
end

local function session(number, file, text)
    local path = ("%s/%s"):format(folder, number)
    files.write(path, text)
    return files.run(("cd '%s' && XDG_CONFIG_HOME='%s' '%s' repl '%s' --color never <'%s'"):format(
        folder, folder, lorenz, file, path), 60)
end

-- Three sessions: with a fault, the same after having been about, and without.
local function inject(number, file)
    local names = {}
    for name, kind in files.read(file):gmatch '\nlocal (%w+) *= *(%l+) "' do
        if kind == "service" or kind == "database" or kind == "broker" then
            names[#names + 1] = name
        end
    end
    local at = math.random(500, 20000)
    local fault = any { 'fault.kill { %s, lasting = "2s" }\n',
        'fault.pause { %s, lasting = "2s" }\n',
        'fault.latency { %s, add = "80ms", lasting = "3s" }\n' }:format(any(names))
    local there = (".goto %dms\n"):format(at)
    local ends = (".run to %dms\n%s\n.quit\n"):format(at + math.random(500, 9000), ASK)
    local about = table.concat(wander(math.random(1, 9), false), "\n") .. "\n.switch main\n"
    if math.random() < 0.5 then
        about = about .. there .. ".fork aside\n" .. fault .. ".run 1s\n.switch main\n"
    end
    local states = {}
    for i, text in ipairs { there .. fault .. ends, about .. there .. fault .. ends,
        there .. ends } do
        local said, status = session(number .. "-" .. i, file, text)
        states[i] = said:match "\nat +(%d+ +%x+)"
        if status ~= 0 or not states[i] then say(number, "exit %s\n%s", status, said) end
    end
    if states[1] ~= states[2] then
        say(number, "%s: after %s it is %s, and %s by another way", file, fault, states[1],
            states[2])
    end
    return states[1] ~= states[3]
end

-- Straight on, and asked on the way at all instants that others may go to by whole seconds.
local function straight()
    local lines = {}
    for second = 0, 40 do lines[#lines + 1] = (".run to %ds\n%s\n"):format(second, ASK) end
    return table.concat(lines) .. ".quit\n"
end

files.clear(folder)
local changed = 0
for i, file in ipairs(scenarios) do
    judge("straight " .. i, file, session("straight" .. i, file, straight()))
end
for number = first, first + count - 1 do
    math.randomseed(number, 21)
    local file = any(scenarios)
    judge(number, file, session(number, file, typed(file)))
    changed = changed + (inject(number, file) and 1 or 0)
end
if again < count then say(first, "only %d of %d states were met before", again, met) end

if changed * 2 < count then say(first, "only %d of %d faults change anything", changed, count) end

print "1..1"
print(("%s 1 - %d sessions from number %d are in %d states, in %d not for the first time"):format(
    wrong == 0 and "ok" or "not ok", count, first, met, again))
if wrong == 0 then os.execute(("rm -rf '%s'"):format(folder)) end
os.exit(wrong == 0)
