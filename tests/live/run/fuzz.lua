-- fuzz.lua — live scenarios drawn at random, some of them ended by a signal: nothing is ever left.
--
--     lua5.4 tests/live/run/fuzz.lua LORENZ LIVE_SERVER LIVE_KEYS FOLDER COUNT [FIRST]
--
-- Number N is a function of N, but for what a machine lacks (namespaces, IPv6): two to four real
-- servers, some of which die, stay mute or ignore signals, traffic, probes, faults of the network,
-- of processes and of the machine, now and then something that cannot be, and perhaps a signal at
-- some moment. Whatever comes of it, its exit code is one that `lorenz explain exit` lists, and
-- afterwards (of SIGKILL: once the watchdog has done its work, or `lorenz recover`) there is no
-- process, mount, control group or undo log of the run. What is wrong with one stays in FOLDER/N.

local function output(command)
    local pipe <close> = assert(io.popen(command .. " 2>&1"))
    return pipe:read "a"
end

local function trim(text) return (text:gsub("%s+$", "")) end

local function whole(path) return trim(output(("readlink -f '%s'"):format(path))) end

local lorenz, server, keys, folder = whole(arg[1]), whole(arg[2]), whole(arg[3]), arg[4]
local count, first = tonumber(arg[5]), tonumber(arg[6] or 1)

local doctor = output(("'%s' doctor --live"):format(lorenz))
local has_spaces = not doctor:find "no +namespaces"
local has_v6 = os.execute "grep -qs '^0*1 ' /proc/net/if_inet6"

local function one_of(t) return t[math.random(#t)] end
local function chance(p) return math.random() < p end
local function ms(low, high) return ("%dms"):format(math.random(low, high)) end

-- ---------------------------------------------------------------- a scenario

local MODES = { "ok", "ok", "ok", "ok", "slow", "stubborn", "leaves", "dies", "mute" }
local KEYS = { "good", "loses", "mute", "shy" }

local function process(i, is_apart)
    -- Drawn whether it is wanted or not: what follows is the same on every machine.
    local is_keys, is_v6, key_mode, mode = chance(0.5), chance(0.3), one_of(KEYS), one_of(MODES)
    is_keys = is_keys or is_apart
    local family = is_v6 and is_keys and has_v6 and ', family = "ipv6"' or ""
    local run = is_keys
        and ('{ "{{scenario.dir}}/keys", "{{host}}", "{{port}}", "%s" }'):format(key_mode)
        or ('{ "{{scenario.dir}}/server", "{{port}}", "%s" }'):format(mode)
    local protocol = chance(0.9) and "http" or "tcp"
    local connects = {}
    for k = 1, i - 1 do
        if chance(0.4) then connects[#connects + 1] = "p" .. k end
    end
    local text = ('local p%d = process "p%d" { run = %s, protocol = %q, ready_within = "%s", '
        .. 'grace = "%s"%s%s, connects = { %s } }'):format(i, i, run, protocol,
        one_of { "400ms", "20s", "20s" }, one_of { "100ms", "500ms", "10s" }, family,
        chance(0.4) and ', restart = "always", backoff = "100ms"' or "",
        table.concat(connects, ", "))
    return { text = text, protocol = protocol, connects = connects, name = "p" .. i }
end

local function traffic(i, to)
    local text
    if to.protocol == "tcp" or chance(0.2) then
        text = ('to = %s, rate = "%d/s", timeout = "500ms", live = { command = { "%s" } }'):format(
            to.name, math.random(1, 10), one_of { "true", "false", "no-such-program" })
    else
        text = ('to = %s, op = "%s", rate = "%d/s", timeout = "%s"%s'):format(to.name,
            one_of { "GET /", "GET /late", "PUT /{{key}}", "POST /3" }, math.random(1, 60),
            ms(50, 900), one_of { "", ", retries = 2", ', hedge = { after = "20ms" }',
                ", breaker = { consecutive = 3, open = '300ms' }" })
    end
    return { text = ('local t%d = traffic "t%d" { %s }'):format(i, i, text), to = to.name,
        name = "t" .. i }
end

local FAULTS = {
    'latency { %s, add = "40ms"', 'loss { %s, ratio = "20%%"', "partition { %s", "blackhole { %p",
    'bandwidth { %s, rate = "1Mbit/s"', "reset { %s", 'corrupt { %s, ratio = "20%%"',
    'flap { %s, up = "100ms", down = "100ms"', 'slow_close { %s, delay = "50ms"',
    "http_abort { %p, status = 503", 'http_delay { %p, add = "30ms"',
    'http_reset { %p, path = "/", ratio = "50%%"',
    'http_reset { %p, side = "answer", method = "GET"',
    'http_delay { %p, add = "30ms", side = "answer", of_status = 200', "kill { %p", "pause { %p",
    "stop { %p", "crash_loop { %p", 'cpu { %p, load = "20%%"', 'cpu_throttle { %p, quota = "5%%"',
    'memory { %p, fill = "0.2%%"', 'memory { %p, size = "8MiB"',
    "fd_limit { %p, limit = 8", 'clock_skew { %p, offset = "1h"',
    'slicer { %s, size = "10B", delay = "1ms"', 'slicer { %p, size = "40B", variation = "39B"',
    'limit_data { %p, bytes = "300B", direction = "from"', 'limit_data { %s, bytes = "100B"',
    -- Of some connections: a proxy's, in namespaces too, where nobody else knows connections.
    'latency { %s, add = "40ms", ratio = "50%%", per = "connection"',
    'loss { %s, ratio = "40%%", per = "connection"',
    'corrupt { %s, ratio = "40%%", per = "connection", direction = "to"',
    'reset { %s, ratio = "40%%"', 'reset { %p, ratio = "40%%", first = 5',
    'slow_close { %s, delay = "50ms", ratio = "50%%"',
    'limit_data { %p, bytes = "10B", ratio = "30%%"',
    'latency { %p, add = "20ms", ratio = "30%%", per = "connection", ramp = "100ms"',
}

local function fault(target, ways, duration)
    local text = one_of(FAULTS)
    if text:find "%%s" and #ways == 0 then text = "kill { %p" end
    text = text:gsub("%%s", ways[1] and one_of(ways) or ""):gsub("%%p", target):gsub("%%%%", "%%")
    return ('fault.%s, at = "%s"%s }'):format(text, ms(0, duration - 100),
        (chance(0.8) or text:find "^flap")
        and (', lasting = "%s"'):format(ms(100, 1500)) or "")
end

-- What cannot be, at most one of them.
local WRONG = {
    'process "wrong" { run = { "no-such-program" } }',
    'process "wrong" { run = { "true", "{{nobody.port}}" } }',
    'process "wrong" { run = { "true" }, setup = { { "false" } } }',
    'process "wrong" { run = { "true" }, user = "nobody-at-all" }',
    'endpoint "wrong" { url = "http://nowhere.invalid" }',
    'endpoint "wrong" { url = "http://127.0.0.1:1", ready_within = "200ms" }',
    'probe "wrong" { http = "http://192.0.2.1/" }',
    "drive(function() sleep \"500ms\" local x = nil + 1 end)",
    'scenario.abort_when = 3',
    'check("broken", function() return nil end)',
}

local function scenario(number)
    math.randomseed(number)
    local is_apart = chance(0.4) and has_spaces
    local n, duration, lines, ways = math.random(2, 4), math.random(1200, 2500), {}, {}
    local function put(text) lines[#lines + 1] = text end
    put(('scenario "Random %d" { duration = "%dms"%s }'):format(number, duration,
        is_apart and ', network = "namespaces"' or ""))
    local processes = {}
    for i = 1, n do
        local p = process(i, is_apart)
        processes[i] = p
        put(p.text)
        for _, to in ipairs(p.connects) do ways[#ways + 1] = ("link(%s, %s)"):format(p.name, to) end
    end
    for i = 1, math.random(0, 2) do
        local t = traffic(i, one_of(processes))
        put(t.text)
        ways[#ways + 1] = ("link(%s, %s)"):format(t.name, t.to)
    end
    for i = 1, math.random(0, 2) do
        put(('local a%d = probe "a%d" { of = p%d, %s, every = "%s", timeout = "300ms" }'):format(i,
            i, math.random(n), one_of { "tcp = true", 'http = "/health"', 'command = { "true" }' },
            ms(50, 400)))
        put(('expect "a%d is seen" { sometimes = a%d.up:at_least(%d) }'):format(i, i,
            math.random(0, 1)))
    end
    for _ = 1, math.random(1, 4) do put(fault("p" .. math.random(n), ways, duration)) end
    if chance(0.1) then put(one_of(WRONG)) end
    local signal = chance(0.55) and one_of { "INT", "TERM", "HUP", "KILL", "KILL", "KILL" }
    return table.concat(lines, "\n") .. "\n", signal, math.random() * 3
end

-- ---------------------------------------------------------------- what is left

local GOOD = { [0] = true, true, true, true, true } -- 0 to 4
local BY_SIGNAL = { HUP = 129, INT = 130, KILL = 137, TERM = 143 }

-- Everything that a run starts is started in its folder.
local function left(here)
    return trim(output(("for p in /proc/[0-9]*; do case $(readlink $p/cwd) in '%s'*) "
        .. "echo $p $(tr '\\0' ' ' <$p/cmdline);; esac; done; grep -F '%s' /proc/mounts; "
        .. "ls '%s'/state/lorenz/live/*.undo 2>/dev/null; "
        .. "find /sys/fs/cgroup -maxdepth 3 -type d -name \"lorenz-*$(basename '%s')*\""):format(
        here, here, here, here)))
end

local function wait_until_none(here, seconds)
    local rest
    for _ = 1, seconds * 5 do
        rest = left(here)
        if rest == "" then return rest end
        os.execute "sleep 0.2"
    end
    return rest
end

local function run(number)
    local text, signal, moment = scenario(number)
    local name = "fuzz" .. number
    local here = folder .. "/" .. name
    os.execute(("rm -rf '%s'; mkdir -p '%s'; ln -s '%s' '%s/server'; ln -s '%s' '%s/keys'"):format(
        here, here, server, here, keys, here))
    here = whole(here)
    do
        local file <close> = assert(io.open(here .. "/" .. name .. ".lua", "w"))
        file:write(text)
    end
    local ending = signal and ("sleep %.2f; kill -%s $pid 2>/dev/null; "):format(moment, signal)
        or ""
    local said = output(("cd '%s' && export XDG_STATE_HOME=$PWD/state; '%s' live --allow-run "
        .. "%s.lua >out 2>&1 </dev/null & pid=$!; %swait $pid; echo \"exit $?\""):format(here,
        lorenz, name, ending))
    local code = tonumber(said:match "exit (%d+)%s*$")
    local trouble = {}
    if not (GOOD[code] or signal and code == BY_SIGNAL[signal]) then
        trouble[#trouble + 1] = ("exit %s after %s"):format(code, signal or "no signal")
    end
    if output(("cat '%s/out'"):format(here)):find "lorenz: bug at\n?"
        or output(("grep -c 'Sanitizer\\|runtime error' '%s/out'"):format(here)):find "^[1-9]" then
        trouble[#trouble + 1] = "it has met a bug of its own"
    end
    -- A watchdog undoes what SIGKILL left; recover is for what it missed.
    local rest = wait_until_none(here, 60)
    if rest ~= "" then
        trouble[#trouble + 1] = "left behind: " .. rest
    end
    local recovered = output(("cd '%s' && XDG_STATE_HOME=$PWD/state '%s' recover; echo \"exit $?\"")
        :format(here, lorenz))
    if not recovered:find "exit 0%s*$" then trouble[#trouble + 1] = "recover: " .. recovered end
    if #trouble == 0 and not os.getenv "KEEP" then os.execute(("rm -rf '%s'"):format(here)) end
    return trouble, here, signal, code
end

os.execute(("mkdir -p '%s'"):format(folder))
print(("1..%d"):format(count))
local codes, failed = {}, 0
for number = first, first + count - 1 do
    local trouble, here, signal, code = run(number)
    local kind = ("%s%s"):format(signal and signal .. " " or "", code)
    codes[kind] = (codes[kind] or 0) + 1
    print(("%s %d - number %d leaves nothing"):format(#trouble == 0 and "ok" or "not ok",
        number - first + 1, number))
    if #trouble > 0 then
        failed = failed + 1
        print(("# %s: %s"):format(here, table.concat(trouble, "; "):gsub("\n", "\n#   ")))
    end
    io.stdout:flush()
end
local kinds = {}
for kind, times in pairs(codes) do kinds[#kinds + 1] = ("%s x%d"):format(kind, times) end
table.sort(kinds)
print("# ends: " .. table.concat(kinds, ", "))
os.exit(failed == 0)
