-- real.lua — scenarios/live against PostgreSQL, Redis and nginx as a distribution has them.
--
--     lua5.4 tests/live/real/real.lua path/to/lorenz path/to/repository TEST
--
-- Each test runs a scenario in both worlds and looks at what was measured. It is skipped, with the
-- reason, where a program is missing or the machine is too busy to send requests in time. What is
-- compared in time is measured again, three times at most, if it does not hold and the machine was
-- held up meanwhile: then it says nothing, and is skipped too. A steady machine fails at once, and
-- whatever the machine a run that ends without a verdict does, and what is left behind.
-- Programs run on free ports in a folder of the test's own, which goes with it; tools/setup-tests
-- installs them.

local LORENZ, ROOT, TEST = arg[1], arg[2], arg[3]
local PATH = "PATH=$PATH:/usr/sbin:/usr/lib/postgresql/15/bin "

local function sh(command)
    local pipe = assert(io.popen(command, "r"))
    local said = pipe:read "a"
    pipe:close()
    return (said:gsub("%s+$", ""))
end

local folder = sh "mktemp -d /tmp/lorenz-real-XXXXXX"
sh("chmod 755 " .. folder) -- PostgreSQL's is another user
local ENV = ("cd %s && XDG_STATE_HOME=%s/state %s"):format(folder, folder, PATH)

-- ---------------------------------------------------------------- TAP

local count, failed, skipped_all = 0, 0, false

local function ok(is_good, name, why)
    count = count + 1
    if not is_good then failed = failed + 1 end
    print(("%s %d - %s"):format(is_good and "ok" or "not ok", count, name))
    if not is_good and why then print("# " .. tostring(why):gsub("\n", "\n# ")) end
end

local function finish()
    sh("rm -rf " .. folder)
    if not skipped_all then print("1.." .. count) end
    os.exit(failed == 0)
end

local function content(path)
    local file = io.open(path, "rb")
    local text = file and file:read "a" or ""
    if file then file:close() end
    return text
end

-- What runs with this test's folder in its environment or its words, a line each, with its state.
-- Lorenz and all it starts inherit that; the test itself has it in neither.
local function left_behind()
    local list = {}
    for pid in sh("ls /proc"):gmatch "%d+" do
        local words = content(("/proc/%s/cmdline"):format(pid))
        if (words .. content(("/proc/%s/environ"):format(pid))):find(folder, 1, true) then
            local state = content(("/proc/%s/stat"):format(pid)):match "%) (%a)"
            list[#list + 1] = ("%s %s %s"):format(state or "Z", pid, words:gsub("%z", " "))
        end
    end
    return table.concat(list, "\n")
end

-- All of the test, or what is left of it. What it has started is looked at all the same.
local function skip(why)
    local rest = left_behind()
    if rest ~= "" then ok(false, "nothing is left behind", rest) end
    if count == 0 then
        skipped_all = true
        print("1..0 # SKIP " .. why)
    else
        count = count + 1
        print(("ok %d - the rest of it # SKIP %s"):format(count, why))
    end
    finish()
end

local function need(...)
    for _, program in ipairs { ... } do
        if sh(PATH .. "command -v " .. program) == "" then
            skip(("there is no %s: tools/setup-tests installs it"):format(program))
        end
    end
end

-- ---------------------------------------------------------------- whether the machine was steady

local BEAT_MS, GAP_MS, WAITED, OWN = 100, 300, 0.4, 0.5

-- Microseconds in which something that could run did not (Documentation/accounting/psi); nil: this
-- kernel does not count them.
local function pressure()
    local file <close> = io.open "/proc/pressure/cpu"
    return file and tonumber((file:read "a" or ""):match "some [^\n]*total=(%d+)")
end

-- Seconds of a core that all took that this test has started, and that have ended.
local function burned()
    local file <close> = assert(io.open "/proc/self/stat")
    local user, system = file:read("a"):match("%) %a" .. (" %S+"):rep(12) .. " (%d+) (%d+)")
    return (tonumber(user) + tonumber(system)) / 100
end

local function now_ms() return tonumber(sh "date +%s%N") / 1e6 end

-- A process that starts another every 100 ms, as commands of a traffic do, as long as this test
-- lives: it may be skipped, or killed, in the middle of an attempt. What is returned ends it
-- and says why what was measured meanwhile is of a machine that was held up; nil: it was not.
local function watch()
    local began, waited, own = now_ms(), pressure(), burned()
    local pid = sh(("sh -c 'while kill -0 '$PPID' && date +%%s%%N; do sleep %g; done' "
        .. ">%s/beats 2>&1 & echo $!"):format(BEAT_MS / 1000, folder))
    return function()
        sh("kill " .. pid)
        local file <close> = assert(io.open(folder .. "/beats"))
        local last, longest = began, 0
        for beat in file:lines() do
            local at = (tonumber(beat) or last * 1e6) / 1e6
            longest, last = math.max(longest, at - last - BEAT_MS), at
        end
        local took = now_ms() - began
        longest = math.max(longest, began + took - last - BEAT_MS)
        local share = waited and (pressure() - waited) / (took * 1000) or 0
        -- Who keeps a core busy by itself is what the others wait for.
        if burned() - own > OWN * took / 1000 then share = 0 end
        if longest <= GAP_MS and share <= WAITED then return nil end
        return ("this machine was held up: by %.0f ms at once, and %.0f %% of the time something "
            .. "waited for a core"):format(longest, share * 100)
    end
end

-- `attempt` returns what has to hold: a list of { holds, name, why not }.
local function steadily(attempt)
    local why
    for _ = 1, 3 do
        local stop = watch()
        local checks, all = attempt(), true
        why = stop()
        for _, c in ipairs(checks) do all = all and c[1] end
        if all or not why then
            for _, c in ipairs(checks) do ok(c[1], c[2], c[3]) end
            return
        end
        print("# " .. why)
    end
    skip(why)
end

-- ---------------------------------------------------------------- runs

local VERDICTS = { [0] = true, [1] = true, [3] = true }

-- Runs a scenario; the record's name, the exit status, and what was said.
local function run(verb, file, options)
    sh("rm -rf " .. folder .. "/.lorenz/runs")
    local said = sh(("%s timeout 300 %s %s %s/%s --keep all %s 2>&1; echo status $?"):format(ENV,
        LORENZ, verb, ROOT, file, options or ""))
    local status = tonumber(said:match "status (%d+)$")
    local record = sh(("ls %s/.lorenz/runs/*.lzrun 2>/dev/null | head -n 1"):format(folder))
    if not VERDICTS[status] then
        ok(false, "a run ends with a verdict", said)
        finish()
    end
    if status == 3 and said:find("could not send them in time", 1, true) then
        skip "this machine is too busy to send requests in time"
    end
    return { record = record, status = status, said = said }
end

local function ask(r, query)
    if r.record == "" then return "" end
    return sh(('%s %s sql -f tabs %s "%s" | tail -n 1'):format(ENV, LORENZ, r.record, query))
end

-- Of a traffic: how many of its requests failed.
local function failures(r, traffic)
    return tonumber(ask(r, ("select sum(s.count) from series s join metric m on m.id = s.metric "
        .. "join component k on k.id = m.component where k.name = '%s' and m.name = 'errors.rate'")
        :format(traffic))) or -1
end

local function actual(r, expectation)
    return ask(r, ("select actual from expectation where name = '%s'"):format(expectation))
end

-- ---------------------------------------------------------------- the tests

local tests = {}

function tests.nginx()
    need "nginx"
    local file = "scenarios/live/nginx.lua"
    local model = run("run", file)
    ok(model.status == 0, "the model keeps its promises", model.said)
    steadily(function()
        local real = run("live --allow-run", file)
        return {
            { real.status == 0, "an nginx behind the proxy keeps the same", real.said },
            { tonumber(ask(real, "select count(*) from fault where effect > 0")) == 3,
                "latency, bandwidth and reset were seen to act", real.said },
        }
    end)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

-- HTTP/2 over TLS, with a certificate that the test makes; then without saying whom to trust.
function tests.h2()
    need("nginx", "openssl")
    steadily(function()
        local real = run("live --allow-run", "tests/live/real/h2.lua")
        return {
            { real.status == 0, "requests are answered", real.said },
            { real.said:find("HTTP/2 is spoken (ALPN h2)", 1, true) ~= nil, "by HTTP/2",
                real.said },
        }
    end)
    local old = run("live --allow-run", "tests/live/real/h2.lua", "--set alpn=off")
    ok(old.status == 3 and old.said:find("agreed to HTTP/1.1 only", 1, true) ~= nil,
        "a server without it makes the run inconclusive", old.said)
    local blind = run("live --allow-run", "tests/live/real/h2.lua", "--set trust=other")
    ok(blind.status == 3 and blind.said:find("its certificate is not trusted", 1, true) ~= nil,
        "a certificate that is not trusted is a failure by name", blind.said)
    local waits = run("live --allow-run", "tests/live/real/h2.lua", "--set ready_by=other")
    ok(waits.status == 3 and waits.said:find("was not ready within 2 s", 1, true) ~= nil
        and waits.said:find("not trusted", 1, true) ~= nil, "nor is it found ready", waits.said)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

-- Packets are lost, in the model and between namespaces: who waits, waits for TCP's timer in both.
function tests.packets()
    need "nginx"
    local can = sh(("%s %s doctor --live"):format(ENV, LORENZ))
    if not can:find "ok +nfqueue" then skip "packets between namespaces cannot be queued here" end
    local file = "scenarios/live/packet_loss.lua"
    local model = run("run", file)
    ok(model.status == 0, "the model keeps its promises", model.said)
    steadily(function()
        local real = run("live --allow-run", file)
        return {
            { real.status == 0, "an nginx in a network of its own keeps the same", real.said },
        }
    end)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

-- Three sentinels, both worlds. One request every 100 ms: failures are tenths of a second.
function tests.redis()
    need("redis-server", "redis-cli")
    local file = "scenarios/live/redis_sentinel.lua"
    local sum, seeds = 0, 8
    for seed = 1, seeds do sum = sum + failures(run("run", file, "--seed " .. seed), "users") end
    local model = sum / seeds / 10
    ok(model > 4, "the model's sentinels wait before they act", model)
    steadily(function()
        local real = run("live --allow-run", file)
        local took = failures(real, "users") / 10
        print(("# nothing was written for %.1f s simulated (mean of %d seeds), %.1f s for real")
            :format(model, seeds, took))
        return {
            { real.status == 0, "the real sentinels fail over in time", real.said },
            { math.abs(took - model) <= 0.25 * model,
                "it takes as long as in the model, within 25 %",
                ("%g and %g"):format(model, took) },
        }
    end)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

-- Redis says itself who leads: after a failover the same words hit another.
function tests.primary()
    need("redis-server", "redis-cli")
    steadily(function()
        local real = run("live --allow-run", "tests/live/real/primary.lua")
        return {
            { real.status == 0, "a fault on the primary hits who leads now", real.said },
            { real.said:find "redis%-2 is the primary of sessions" ~= nil,
                "and it is told who does", real.said },
        }
    end)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

local function postgres(mode, is_lost)
    need("psql", "/usr/lib/postgresql/15/bin/postgres")
    local function attempt(world, verb)
        local r = run(verb, "scenarios/live/postgres_failover.lua", "--case mode=" .. mode)
        local lost = tonumber(actual(r, "no confirmed order is lost"))
        print(("# %s: %s confirmed orders lost"):format(world, lost))
        return {
            { r.status == 0 and lost -- it is meant to: `xfail`
                and (lost > 0) == is_lost, ("%s: %s"):format(world, is_lost
                and "orders that were confirmed are gone" or "no confirmed order is lost"),
                r.said },
            { actual(r, "the standby really took over") == "1", world .. ": the standby took over",
                r.said },
        }
    end
    for _, c in ipairs(attempt("the model", "run")) do ok(c[1], c[2], c[3]) end
    steadily(function() return attempt("PostgreSQL", "live --allow-run") end)
    ok(left_behind() == "", "nothing is left behind", left_behind())
end

function tests.postgres_sync() postgres("sync", false) end
function tests.postgres_async() postgres("async", true) end

local function wait_for(seconds, is_so)
    for _ = 1, seconds * 10 do
        if is_so() then return true end
        sh "sleep 0.1"
    end
    return is_so()
end

local function listens(port)
    local at = (" 0100007F:%04X 00000000:0000 0A "):format(tonumber(port) or 0)
    return content "/proc/net/tcp":find(at, 1, true) ~= nil
end

-- Lorenz is killed while an nginx is stopped and its proxy delays.
function tests.killed()
    need "nginx"
    sh(("%s setsid sh -c 'echo $$ > pid; exec %s live --allow-run %s/tests/live/real/held.lua' "
        .. "> log 2>&1 &"):format(ENV, LORENZ, ROOT))
    ok(wait_for(60, function() return ("\n" .. left_behind()):find "\nT %d+ nginx" end),
        "an nginx is stopped by the fault", content(folder .. "/log") .. left_behind())
    local port = sh(("cat %s/.lorenz/live/*/web/proxy"):format(folder))
    ok(listens(port), "a proxy listens", port)
    sh("kill -KILL " .. content(folder .. "/pid"))
    ok(wait_for(60, function() return left_behind() == "" end),
        "no process is left, stopped or not", left_behind())
    ok(not listens(port), "nor a proxy's port")
    ok(sh "find /sys/fs/cgroup -maxdepth 4 -name 'lorenz*' 2>/dev/null" == "", "nor a cgroup")
    local again = sh(("%s %s recover 2>&1; echo status $?"):format(ENV, LORENZ))
    ok(again:find "status 0$" ~= nil, "and `lorenz recover` has nothing left to do", again)
end

assert(tests[TEST], "there is no test " .. tostring(TEST))()
finish()
