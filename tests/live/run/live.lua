-- live.lua — whole live runs: what holds, what is refused, and that nothing is ever left behind.
--
--     lua5.4 tests/live/run/live.lua LORENZ .../scenarios LIVE_SERVER ROOT SLOW_DISK KEYS
--
-- Rows as in tests/cli. Each has a state folder of its own and the server beside its scenarios.

local server, root, slow_disk, keys = arg[3], arg[4], arg[5], arg[6]
local harness = dofile(root .. "/tests/cli/harness.lua")

-- Another run of these tests on the same machine has another port.
local BEGIN = ("export XDG_STATE_HOME=$PWD/state PORT=$((20000 + $$ %% 12000)); cp '%s' s/server; "
    .. "cp '%s' s/keys; sed -i s/28473/$PORT/ s/fixed.lua; "):format(server, keys)
local RUN = "$L live --allow-run "
-- Wait half a minute for something, by looking: a machine may stand still for seconds.
local function wait_until(test)
    return ("for i in $(seq 600); do %s && break; sleep 0.05; done; "):format(test)
end
local LISTENS = wait_until 'grep -qi ":$(printf %04X $PORT) .* 0A " /proc/net/tcp'
local LISTENS_V6 = wait_until 'grep -qi ":$(printf %04X $PORT) .* 0A " /proc/net/tcp6'
local HAS_V6 = "grep -qs '^0*1 ' /proc/net/if_inet6 || "
    .. "{ echo 'this machine has no ::1: IPv6 is off' >&2; exit 77; }; "
local GONE = wait_until '! pgrep -f "$PWD/s/server" >/dev/null'
-- Nothing of ours may be left: a process, a log of what is to be undone.
local CLEAN = "; s=$?; " .. GONE .. "pgrep -f \"$PWD/s/server\" && exit 90; "
    .. wait_until "! ls state/lorenz/live/*.undo >/dev/null 2>&1"
    .. "ls state/lorenz/live/*.undo 2>/dev/null && exit 91; exit $s"
-- A machine that is busy may send requests late, and then the run says so: what it measured is not
-- the system. No other reason for skipping will do: a fault that touched nothing has to be seen.
-- Nor is a run skipped that ends without a verdict, and what follows looks at what is left.
local BUSY = " >o 2>e; s=$?; cat o; cat e >&2; cat o e | tr -s '\\n ' ' ' "
    .. "| grep -q 'send them in time' && { [ $s = 1 ] || [ $s = 3 ]; } && s=77 "
    .. "&& echo 'this machine is too busy to send requests in time' >&2; (exit $s)"
-- What is judged is a history: that requests were late is no reason to skip it.
local EVEN_LATE = " >o 2>e; s=$?; cat o; cat e >&2; [ $s != 3 ] || ! cat o e | tr -s '\\n ' ' ' "
    .. "| grep -q 'send them in time' || s=0; (exit $s)"
-- A run in the background that stands in the middle of its fault.
local PAUSED = RUN .. "s/pauses.lua >o 2>&1 & pid=$!; " .. wait_until(
    "ps -o stat= -p \"$(pgrep -f \"$PWD/s/server\" | tr '\\n' ',' | sed 's/,$//')\" "
    .. "2>/dev/null | grep -q T")
local function inline(text) return "cat >s/x.lua <<'X'\n" .. text .. "\nX\n" end

local rows = {
    { "a drive stops a fault before its time", RUN .. "s/stops.lua" .. BUSY, 0,
        out = { "✓ it goes on" } },
    { "a program is started, broken, judged and stopped", RUN .. "s/holds.lua" .. BUSY
        .. CLEAN, 0, out = { "✓ requests reach it", "✓ it is back" },
        err = { "web was ended by SIGKILL" } },
    { "the same file is simulated", "$L run s/holds.lua; [ $? != 2 ]", 0, out = { "virtual" } },
    { "a live run has no token and no trace", RUN .. "-q -o json=- s/fixed.lua", 0,
        out = { '"trace_hash":null' } },
    { "a live run is not simulated again", RUN .. "-q s/fixed.lua >o; "
        .. "$L replay fixed-1-live </dev/null; [ $? = 4 ] && $L shrink fixed-1-live; "
        .. "[ $? = 4 ] && $L why fixed-1-live", 4,
        err = { "which nothing brings back", "lorenz live --allow-run s/fixed.lua" } },
    { "nothing is started unless it is allowed", "$L live s/one.lua", 4,
        err = { "--dry-run", "--allow-run" } },
    { "a dry run says every action, and does none",
        "$L live --dry-run s/holds.lua; ls .lorenz state 2>/dev/null; true", 0,
        out = { "start       web:", "pause web: SIGSTOP", "kill web: SIGKILL", "proxy       users",
            "!state:" } },
    { "without a scenario it is usage", "$L live", 4, err = { "which scenario?" } },

    { "what listens at ::1 alone is started, asked, called and broken there",
        HAS_V6 .. RUN .. "s/v6.lua" .. EVEN_LATE .. CLEAN, 0 },
    { "a port of ::1 is another than that of 127.0.0.1",
        HAS_V6 .. "s/keys ::1 $PORT & p=$!; s/server $PORT & q=$!; " .. LISTENS_V6 .. LISTENS
        .. "sed -i 's/listens/family = \"ipv6\", listens/' s/fixed.lua; " .. RUN
        .. "s/fixed.lua 2>e; s=$?; kill $p $q; sed s/$PORT/PORT/ e >&2; exit $s", 3,
        err = { "port PORT is in use by keys" } },
    { "though of free ports none is given twice", HAS_V6 .. inline [[
scenario "x" { duration = "1s" }
local a = process "a" { run = { "sleep", "60" }, ready = { command = { "true" } } }
local b = process "b" { run = { "sleep", "60" }, family = "ipv6",
  ready = { command = { "test", "{{a.direct_port}}", "-ne", "{{b.direct_port}}" } },
  ready_within = "2s" }
local there = probe "there" { command = { "true" }, every = "100ms", timeout = "30s" }
expect "it is asked" { sometimes = there.up:at_least(1) }]] .. RUN .. "s/x.lua" .. CLEAN, 0 },

    -- What cannot be made ready.
    { "one that dies at once is shown with its last words", RUN .. "--set mode=dies s/one.lua"
        .. CLEAN, 3, err = { '"api" ended with status 3 before it was ready',
            "cannot open the database" } },
    { "one that never listens is not waited for forever", RUN
        .. "--set mode=mute --set patience=700ms s/one.lua"
        .. CLEAN, 3, err = { "was not ready within 0.7 s" } },
    { "one that ignores its signal is killed",
        RUN .. "--set mode=stubborn s/one.lua" .. CLEAN, 0,
        err = { "did not end in its grace: SIGKILL" } },
    { "one that floods its output does not fill the disk", "cat >s/x.lua <<'X'\n" .. [[
scenario "x" { duration = "2s" }
process "api" {
  run = { "sh", "-c", "while :; do head -c 9000000 /dev/zero; sleep 0.04; done" },
  ready = { command = { "true" } },
}
local there = probe "there" { command = { "true" }, every = "200ms", timeout = "30s" }
expect "it is asked" { sometimes = there.up:at_least(1) }]] .. "\nX\n" .. RUN .. "s/x.lua; s=$?; "
        .. "find . -name api.log -size +65M | grep . && exit 92; (exit $s)" .. CLEAN, 0,
        err = { "writes more than 64 MiB: only the end is kept" } },
    { "what it started ends with it, wherever it went", RUN .. "--set mode=leaves s/one.lua"
        .. CLEAN, 0 },
    { "a program that is not there is named", inline [[
scenario "x" { duration = "2s" }
process "api" { run = { "no-such-program" } }]] .. RUN .. "s/x.lua" .. CLEAN, 3,
        err = { 'there is no program "no-such-program"' } },
    { "a port in use is found before anything starts, and by whom",
        "s/server $PORT & p=$!; " .. LISTENS .. RUN
        .. "s/fixed.lua 2>e; s=$?; kill $p; sed s/$PORT/PORT/ e >&2; exit $s", 3,
        err = { "port PORT is in use by server (process", 'listens = "free"' } },
    { "a host that is not the loopback's is refused", inline [[
scenario "x" { duration = "2s" }
endpoint "api" { url = "http://192.0.2.1" }]] .. "$L live s/x.lua", 4,
        err = { "--allow-target 192.0.2.1" } },
    { "a name that does not resolve is said", inline [[
scenario "x" { duration = "2s" }
endpoint "api" { url = "http://nowhere.invalid" }]] .. "$L live s/x.lua", 3,
        err = { '"nowhere.invalid" does not resolve' } },
    { "a template that is none is named", inline [[
scenario "x" { duration = "2s" }
process "api" { run = { "true", "{{db.port}}" } }]] .. RUN .. "s/x.lua" .. CLEAN, 2,
        err = { "there is no template {{db.port}}" } },

    { "more connections than there may be descriptors are refused", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http" }
traffic "users" { to = api, op = "GET /", rate = "1/s", live = { connections = 5000 } }]]
        .. "ulimit -n 2000; " .. RUN .. "s/x.lua" .. CLEAN, 3,
        err = { "5000 connections at once need", "descriptors, and the hard limit is 2000" } },
    { "a program has the soft limit that lorenz was given", inline [[
scenario "x" { duration = "1s" }
process "api" { run = { "sh", "-c", "ulimit -Sn >limit; exec sleep 60" },
                ready = { command = { "grep", "-x", "777", "limit" } } }
local there = probe "there" { command = { "true" }, every = "200ms", timeout = "30s" }
expect "it is asked" { sometimes = there.up:at_least(1) }]]
        .. "ulimit -Sn 777; " .. RUN .. "s/x.lua" .. CLEAN, 0 },

    -- What has no live form.
    { "a program alone is not simulated", "$L run s/one.lua", 2, out = { "LZ701" } },
    { "but it is checked", "$L check s/one.lua", 0 },
    { "a fault without a live form is named", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" } }
fault.clock_drift { api, ppm = 100, at = "1s" }]] .. RUN .. "s/x.lua", 2, err = { "LZ703" } },
    { "what a proxy cannot do is refused, with what can", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = api, op = "GET /", rate = "1/s" }
fault.duplicate { link(users, api), ratio = "10%", at = "1s" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", "acts on packets", 'network = "namespaces"' } },
    { "more memory than there is cannot be taken", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" } }
fault.memory { api, size = "900TB", at = "1s" }]] .. "$L live --dry-run s/x.lua", 2,
        err = { "LZ703", "`size` is 858306885 MiB, and this machine has" } },
    { "and what could be taken of it is told", inline [[
scenario "x" { duration = "1500ms" }
local api = process "api" { run = { "sleep", "60" }, ready = { command = { "true" } } }
local seen = probe "seen" { command = { "true" }, every = "100ms" }
fault.memory { api, size = "10MiB", ramp = "900ms", at = "200ms", lasting = "900ms" }
fault.memory { api, size = "4GiB", at = "1s", lasting = "1ms" }
expect "it is asked" { sometimes = seen.up:at_least(1) }]]
        .. RUN .. "s/x.lua 2>&1 | tr -s '\\n ' ' '" .. CLEAN, 0,
        out = { "fault memory api took", "MiB of 4096 MiB" } },
    { "what looks into requests is refused where none can be seen", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" }, protocol = "tcp" }
local web = process "web" { run = { "true" }, connects = { api } }
fault.http_reset { api, path = "/pay", at = "1s" }]] .. "$L live --dry-run s/x.lua", 2,
        err = { "LZ703", "looks into HTTP", 'write protocol = "http" there',
            "fault.reset and fault.latency act on connections" } },
    { "and where they are encrypted", inline [[
scenario "x" { duration = "2s" }
local api = endpoint "api" { url = "https://127.0.0.1:1" }
local web = process "web" { run = { "true" }, connects = { api } }
fault.http_delay { api, add = "1s", at = "1s" }]] .. "$L live --dry-run s/x.lua", 2,
        err = { "LZ703", "what goes there is encrypted" } },
    { "a fault on requests that nobody sends has tested nothing", inline [[
scenario "x" { duration = "1500ms" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http" }
local users = traffic "users" { to = api, op = "GET /", rate = "20/s" }
fault.http_reset { api, header = "x-user: eve", at = "200ms" }
fault.http_reset { api, port = 1, at = "200ms" }
fault.http_reset { api, side = "answer", of_status = 404, at = "200ms" }
expect "they are answered" { sometimes = users.goodput:at_least "1/s" }]]
        .. RUN .. "s/x.lua 2>&1 | tr -s '\\n ' ' '" .. CLEAN, 0,
        out = { "1 inconclusive", "http_reset api touched nothing" } },
    { "packets have no connections to draw", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local api = process "api" { run = { "true" } }
local web = process "web" { run = { "true" }, connects = { api } }
fault.loss { link(web, api), ratio = "10%", per = "connection", at = "1s" }]]
        .. "$L live --dry-run s/x.lua", 2,
        err = { "LZ703", "packets are drawn one by one", "leave `per` out" } },
    { "a program that nobody models has a disk too, and a firewall before it", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = api, op = "GET /", rate = "1/s" }
fault.waf_false_positive { api, ratio = "10%", at = "1s" }
fault.disk_full { api, at = "1s" }]] .. "$L live --dry-run s/x.lua >o 2>&1; cat o; "
        .. "grep -q 'cannot target' o && exit 1; exit 0", 0 },
    { "a fault without any live form sends to who knows them", inline [[
scenario "x" { duration = "2s" }
local db = database "db" { live = { run = { "true" } } }
fault.fsync_lie { db, at = "1s" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", "has no live form: `lorenz doctor --live`" } },
    { "one that other tools have live says what comes near to it", inline [[
scenario "x" { duration = "2s" }
local api = service "api" { live = { run = { "true" }, protocol = "http" } }
local name = dns "api.example" { answers = { api } }
fault.dns { name, answer = "nxdomain", at = "1s" }]] .. "$L live --dry-run s/x.lua 2>&1 "
        .. "| tr -s '\\n ' ' '", 0,
        out = { "fault.dns has no live form", "past Lorenz", "or a fault.reset" } },
    { "a metric that nobody observes is named", inline [[
scenario "x" { duration = "2s" }
local web = service "web" { live = { run = { "true" } } }
expect "short" { always = web.queue.length:below(3) }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "web.queue.length has no live source" } },

    { "who leads nobody is not asked", inline [[
scenario "x" { duration = "2s" }
local api = process "api" { run = { "true" }, is_primary = { command = { "true" } } }
probe "there" { of = api, tcp = true }]] .. RUN .. "s/x.lua", 2, err = { "LZ704",
        "nobody is the primary" } },
    { "a fault on the primary hits who leads now", RUN .. "s/leads.lua" .. CLEAN, 0,
        err = { "one is the primary of db", "two is the primary of db",
            "two was ended by SIGKILL" } },

    -- Histories, and a request that is sent twice.
    { "a server that does what it says has a good history",
        RUN .. "s/keys.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ its keys behave as one copy", "✓ what one reads never goes back" } },
    { "one that loses what it acknowledged is found out", RUN .. "--set mode=loses s/keys.lua"
        .. EVEN_LATE .. CLEAN, 1, out = { "not-linearizable", "and this cannot have happened" } },
    { "so is one that reads what is older", RUN .. "--set mode=stale s/keys.lua"
        .. EVEN_LATE .. CLEAN, 1, out = { "monotonic-reads", "read what is older" } },
    { "a write without an answer may have happened", RUN .. "--set mode=mute s/keys.lua"
        .. EVEN_LATE .. CLEAN, 0, out = { "✓ its keys behave as one copy" } },
    { "nor says a breaker that was open to its second attempt that it did not", inline [[
scenario "x" { duration = "4s" }
local kv = store "kv" { kind = "key_value", live = { protocol = "http",
  run = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", "mute" },
  ready = { http = "/health" } } }
local few = dist.zipf { n = 5, skew = 0.5 }
traffic "writers" { to = kv, op = "PUT /{{key}}", keys = few, arrivals = "closed", users = 3,
  think = "20ms", timeout = "100ms", retries = 1, live = { body = "{{value}}" },
  breaker = { consecutive = 1, open = "300ms" } }
traffic "readers" { to = kv, op = "GET /{{key}}", keys = few, arrivals = "closed", users = 3,
  think = "20ms", timeout = "300ms" }
expect "its keys behave as one copy" { linearizable = kv }]]
        .. RUN .. "s/x.lua" .. EVEN_LATE .. CLEAN, 0 },
    { "or not", RUN .. "--set mode=shy s/keys.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ its keys behave as one copy" } },
    { "a set and a counter have what was added", RUN .. "s/sets.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ no tag is lost", "✓ all are counted" } },
    { "or have lost it", RUN .. "--set mode=loses s/sets.lua" .. EVEN_LATE .. CLEAN, 1,
        out = { "✗ no tag is lost", "✗ all are counted" } },
    { "the same history is simulated", "$L run s/keys.lua", 0, out = { "by versions too" } },
    { "commands are operations too", RUN .. "s/commands.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ its keys behave as one copy" } },
    { "an operation says which key it is about", "sed 's/PUT .{{key}}/PUT \\/x/' s/keys.lua "
        .. ">s/x.lua; " .. RUN .. "s/x.lua", 2, err = { "LZ702", "does not say of which key",
            "write {{key}} into its path" } },
    { "and what it writes", "sed 's/{{value}}/7/' s/keys.lua >s/x.lua; " .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "does not say what it writes", "write {{value}}" } },
    { "a history is of somebody's operations", inline [[
scenario "x" { duration = "2s" }
local kv = store "kv" { kind = "key_value", live = { url = "http://127.0.0.1:1" } }
expect "good" { linearizable = kv }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", 'nobody sends operations to store "kv"' } },
    { "and of something real", inline [[
scenario "x" { duration = "2s" }
local kv = store "kv" { kind = "key_value" }
expect "good" { linearizable = kv }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", 'is asked of store "kv", and nothing real stands' } },
    { "who writes only what they have read loses no update",
        RUN .. "s/cas.lua" .. EVEN_LATE .. CLEAN, 0, out = { "✓ its keys behave as one copy" } },
    { "unless the server does not look at If-Match", RUN .. "--set mode=blind s/cas.lua"
        .. EVEN_LATE .. CLEAN, 1, out = { "not-linearizable", "cas" } },
    { "without an ETag there is no If-Match", RUN .. "--set mode=plain s/cas.lua" .. CLEAN, 3,
        err = { "has no ETag", "leave `if_match` out" } },
    { "what acts on the model alone is refused", "echo 'drive(\"d\", function() "
        .. "kv:versioning \"suspended\" end)' >>s/cas.lua; " .. RUN .. "s/cas.lua" .. CLEAN, 2,
        err = { "LZ704", "`versioning` acts on the model" } },
    { "what is read is not written conditionally", inline [[
scenario "x" { duration = "2s" }
local kv = store "kv" { kind = "key_value", live = { url = "http://127.0.0.1:1" } }
traffic "r" { to = kv, op = "GET /{{key}}", rate = "1/s", live = { if_match = true } }]]
        .. RUN .. "s/x.lua", 2, err = { "LZ704", "writes nothing by GET" } },
    { "what no single key is set to is not written conditionally: a record",
        "sed 's/body =/if_match = true, body =/' s/log.lua >s/x.lua; " .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "appends a record)", "leave `if_match` out" } },
    { "nor one of all accounts", "sed 's/op = \"POST .transfer\"/&, live = { if_match = true }/' "
        .. "s/bank.lua >s/x.lua; " .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "has `if_match`", "leave `if_match` out" } },
    { "nor a sum", inline [[
scenario "x" { duration = "2s" }
local kv = store "kv" { kind = "key_value", live = { url = "http://127.0.0.1:1" } }
traffic "w" { to = kv, op = "increment", rate = "1/s",
  live = { method = "PUT", path = "/{{key}}", if_match = true } }
expect "good" { linearizable = kv }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "(add)", "leave `if_match` out" } },
    { "nor is anything if what is read before is too much",
        RUN .. "--set mode=huge s/cas.lua" .. CLEAN, 3,
        err = { "what it reads before it writes has 1 MiB or more" } },
    { "accounts that are read all at once add up, and a check is decided",
        RUN .. "s/bank.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ the total stays", "reads of all accounts", "✓ auditors were answered" } },
    { "or money was lost", RUN .. "--set mode=loses s/bank.lua" .. EVEN_LATE .. CLEAN, 1,
        out = { "✗ the total stays", "wrong-total", "✓ auditors were answered" } },
    { "single keys are another history than all accounts", inline [[
scenario "x" { duration = "2s" }
local db = database "db" { live = { url = "http://127.0.0.1:1" } }
traffic "r" { to = db, op = "GET /{{key}}", rate = "1/s" }
expect "total" { conserved = db }
expect "keys" { linearizable = db }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "a live run records" } },
    { "accounts that nobody reads have no total", inline [[
scenario "x" { duration = "2s" }
local db = database "db" { live = { url = "http://127.0.0.1:1" } }
traffic "r" { to = db, op = "POST /transfer", rate = "1/s" }
expect "total" { conserved = db }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "nobody reads what the accounts" } },
    { "a log has what was acknowledged", RUN .. "s/log.lua" .. EVEN_LATE .. CLEAN, 0,
        out = { "✓ the log is whole", "records sent" } },
    { "or has lost it", RUN .. "--set mode=loses s/log.lua" .. EVEN_LATE .. CLEAN, 1,
        out = { "lost-write", "of them lost" } },
    { "or has it twice", RUN .. "--set mode=twice s/log.lua" .. EVEN_LATE .. CLEAN, 1,
        out = { "duplicate", "read at two offsets" } },
    { "a log that nobody reads is not judged",
        "sed '/^probe/,/reads/d' s/log.lua >s/x.lua; " .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "nobody reads topic", "reads = orders" } },
    { "nor one in which no reader found anything, whatever it says beside",
        "sed 's|http = .*/log\"|command = { \"sh\", \"-c\", \"echo 0 0 999 >\\&2\" }|' s/log.lua "
        .. ">s/x.lua; " .. RUN .. "s/x.lua" .. CLEAN, 3,
        out = { "INCON", "no answer of a reader listed a record" } },
    { "nor one whose records do not say which they are",
        "sed 's/{{value}}/7/' s/log.lua >s/x.lua; " .. RUN .. "s/x.lua", 2,
        err = { "LZ702", "writes records to topic", "write {{value}}" } },
    { "a check says which metric a live run has not", inline [[
scenario "x" { duration = "1s" }
local web = service "web" { live = { run = { "{{scenario.dir}}/server", "{{port}}" },
                                     protocol = "http" } }
local there = probe "there" { tcp = "{{web.direct_address}}", every = "200ms" }
expect "it is asked" { sometimes = there.up:at_least(0) }
check("short", function(w) return w:value(web.queue.length) == nil end)]] .. RUN .. "s/x.lua"
        .. CLEAN, 2, err = { "web.queue.length has no live source", "the model alone has it" } },
    { "an alert is evaluated from what is observed, and tells", inline [[
scenario "x" { duration = "5s" }
local there = probe "there" { command = { "false" }, every = "200ms", timeout = "2s" }
monitoring "m" { scrape_interval = "200ms", evaluation_interval = "200ms", group_wait = "500ms" }
local page = alert "it is gone" { when = there.up:below(1), pending = "400ms" }
local calm = alert "it is there" { when = there.up:above(0) }
expect "somebody is told" { at_end = page.notifications:equals(1) }
expect "of this alone" { at_end = calm.notifications:equals(0) }
expect "it fires" { at_end = page.firing:equals(1) }]] .. RUN .. "s/x.lua" .. CLEAN, 0,
        out = { "✓ somebody is told", "✓ of this alone", "✓ it fires" } },
    { "a rule records what is observed, and `up` is what a probe says", inline [[
scenario "x" { duration = "5s" }
local there = probe "there" { command = { "false" }, every = "200ms", timeout = "2s" }
local well = probe "well" { command = { "true" }, every = "200ms", timeout = "2s" }
monitoring "m" { scrape_interval = "200ms", evaluation_interval = "200ms", group_wait = "500ms" }
local down = rule "probes:down:count" { expr = "count(up == 0)" }
local all = rule "probes:count" { expr = "count(up)" }
local page = alert "one is down" { expr = "probes:down:count / probes:count == 0.5" }
expect "one" { at_end = down.value:equals(1) }
expect "of two" { at_end = all.value:equals(2) }
expect "somebody is told" { at_end = page.notifications:equals(1) }]] .. RUN .. "s/x.lua" .. CLEAN,
        0,
        out = { "✓ one", "✓ of two", "✓ somebody is told" } },
    { "a hedge answers sooner, and its loser is given up",
        RUN .. "s/hedges.lua" .. EVEN_LATE .. CLEAN, 0, err = { "hedges were sent, and" } },
    { "or is left to go on", RUN .. "--set leave=true s/hedges.lua" .. EVEN_LATE .. CLEAN, 0 },
    { "tied ones are told by the first answer, and nobody knows of more",
        "sed 's/leave = leave/tied = true/' s/hedges.lua >s/x.lua; " .. RUN .. "s/x.lua"
        .. EVEN_LATE .. CLEAN, 0, out = { "✓ who loses is given up" }, err = { "users: tied:" } },

    -- How it ends.
    { "a fault that touched nothing makes it inconclusive", RUN .. "s/misses.lua" .. CLEAN, 3,
        out = { "INCON" } },
    { "a stop condition ends it, and all is undone", RUN .. "s/aborts.lua" .. CLEAN, 3,
        out = { "stopped by abort_when" } },
    { "an interrupt ends it, all is undone, and the last line says how it ended",
        PAUSED .. "kill -INT $pid; wait $pid; s=$?; cat o; (exit $s)" .. CLEAN, 130,
        out = { "exit 130" } },
    { "killed in the middle of a fault, its watchdog undoes all",
        PAUSED .. "kill -9 $pid; wait $pid" .. CLEAN:gsub("exit %$s", "exit 0"), 0 },
    { "with its watchdog killed too, recover does",
        PAUSED .. "kill -9 $(pgrep -P $pid -f lorenz-watchdog; pgrep -P $pid -x lorenz-watchdog) "
        .. "$pid; wait $pid; pgrep -f \"$PWD/s/server\" >/dev/null || exit 80; "
        .. "$L recover" .. CLEAN, 0, out = { "was left", "ended, if it was there still" } },
    { "recover with nothing to do says so", "$L recover", 0, out = { "nothing to undo" } },
    { "two at once would disturb each other",
        PAUSED .. RUN .. "s/fixed.lua; s=$?; kill -INT $pid; wait $pid; exit $s", 4,
        err = { "another live run is under way", "--beside" } },

    -- The undo log.
    { "a disk that takes 700 ms for each entry holds up its fault, and no request",
        (os.getenv "ASAN_OPTIONS" and "echo 'sanitizers come first' >&2; exit 77; " or "")
        .. RUN:gsub("%$L", "LD_PRELOAD='" .. slow_disk .. "' $L") .. "s/holds.lua" .. BUSY .. CLEAN,
        0, out = { "✓ requests reach it", "✓ it is back" },
        err = { "ms late: its undoing had to reach the disk first" } },
    { "a damaged log is said, and nothing begins",
        "mkdir -p state/lorenz/live; echo rubbish >state/lorenz/live/x.undo; " .. RUN
        .. "s/fixed.lua", 74, err = { "damaged", "lorenz recover --set-aside" } },
    { "it can be set aside",
        "mkdir -p state/lorenz/live; echo rubbish >state/lorenz/live/x.undo; "
        .. "$L recover --set-aside && ls state/lorenz/live", 0, out = { "x.undo.damaged" } },
    { "without a place for the log nothing is done",
        "XDG_STATE_HOME=/proc/no; " .. RUN .. "s/fixed.lua; s=$?; pgrep -f \"$PWD/s/server\" && "
        .. "exit 90; exit $s", 74, err = { "state folder" } },
    { "model and reality are compared, with intervals",
        RUN .. "--compare --repeat 2 s/holds.lua" .. BUSY .. CLEAN, 0,
        out = { "of 2 simulated and 2 live runs", "users.latency.p99", "recovery time", " +- " } },
    { "what cannot be simulated is not compared",
        RUN .. "-q --compare s/fixed.lua", 2, err = { "nothing to compare with" } },
    { "what works here is listed", "$L doctor --live", 0, out = { "kill", "SIGSTOP" } },
}

for _, row in ipairs(rows) do row[2] = BEGIN .. row[2] end
harness(rows)
