-- net.lua — live runs in namespaces: what holds, what is refused, and that nothing is left behind.
--
--     lua5.4 tests/live/net/net.lua LORENZ tests/live/net/scenarios PEER ROOT
--
-- Rows as in tests/cli. Where namespaces cannot be made all of it is skipped, with the reason.

local peer, root = arg[3], arg[4]

local pipe <close> = assert(io.popen(("'%s' doctor --live 2>&1"):format(arg[1])))
local saw = pipe:read "a":match "no    namespaces.-\n%s+(.-)\n"
if saw then
    print("1..0 # SKIP no namespaces here: " .. saw)
    os.exit(0)
end

local harness = dofile(root .. "/tests/cli/harness.lua")
local BEGIN = ("export XDG_STATE_HOME=$PWD/state; cp '%s' s/peer; "):format(peer)
local RUN = "$L live --allow-run "
-- No process of ours may be left, and with the last one a namespace goes; who ends them says last
-- that there is nothing to be undone any more.
local CLEAN = "; s=$?; for i in $(seq 300); do pgrep -f \"$PWD/s/peer\" >/dev/null || "
    .. "ls state/lorenz/live/*.undo >/dev/null 2>&1 || break; sleep 0.1; done; "
    .. "pgrep -f \"$PWD/s/peer\" && exit 90; "
    .. "ls state/lorenz/live/*.undo 2>/dev/null && exit 91; exit $s"
-- As in tests/live/run: that a machine is busy is a reason to skip a row, and what is left is
-- looked at all the same.
local BUSY = " >o 2>e; s=$?; cat o; cat e >&2; cat o e | tr -s '\\n ' ' ' "
    .. "| grep -q 'send them in time' && { [ $s = 1 ] || [ $s = 3 ]; } && s=77 "
    .. "&& echo 'this machine is too busy to send requests in time' >&2; (exit $s)"
-- A row that needs IPv6, in namespaces.
local NO_V6 = "; s=$?; grep 'there is no IPv6 in namespaces here' e >&2 && s=77; (exit $s)"
local function inline(text) return "cat >s/x.lua <<'X'\n" .. text .. "\nX\n" end

local rows = {
    { "each has a network of its own, and all reach each other", RUN .. "s/apart.lua" .. BUSY
        .. CLEAN, 0 },
    { "packets are lost, held, doubled, damaged, disordered and cut, and that is seen",
        RUN .. "s/packets.lua" .. BUSY .. CLEAN, 0 },
    { "packets of IPv6 too", RUN .. "s/v6.lua" .. BUSY
        .. NO_V6 .. CLEAN, 0 },
    { "a fault of packets is not for proxies", inline [[
scenario "x" { duration = "2s" }
local web = process "web" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.duplicate { link(users, web), ratio = "10%", at = "1s" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", 'write network = "namespaces"' } },
    { "a fault of a proxy needs one", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local db = process "db" { run = { "true" } }
local web = process "web" { run = { "true" }, connects = { db } }
fault.reset { link(web, db), at = "1s" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", 'write protocol = "http" there' } },
    { "a share of connections needs a proxy", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local db = process "db" { run = { "true" } }
local web = process "web" { run = { "true" }, connects = { db } }
fault.loss { link(web, db), ratio = "50%", per = "connection", at = "1s" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", "which in namespaces is only before what speaks HTTP" } },
    { "where there is one it does it", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local web = process "web" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.latency { link(users, web), add = "50ms", ratio = "50%", per = "connection",
  at = "1s" }]] .. "$L live --dry-run s/x.lua", 0, out = { "proxy users -> web" } },
    { "and nobody else", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local web = process "web" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.loss { link(users, web), ratio = "50%", per = "connection", by = "tc",
  at = "1s" }]] .. RUN .. "s/x.lua", 2, err = { "LZ703", "leave one of them out" } },
    { "who asks for tc is told what the kernel lacks", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local web = service "web" { service_time = "1ms", live = { protocol = "http",
  run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" } } }
local users = traffic "users" { to = web, op = "GET /", rate = "10/s" }
fault.latency { link(users, web), add = "20ms", at = "500ms", lasting = "1s", by = "tc" }
expect "it is paid" { sometimes = users.latency.p50:above "40ms" }]] .. RUN .. "s/x.lua" .. BUSY
        .. "; s=$?; cat o e | grep -q 'packets by tc' && exit $s; "
        .. "grep -q 'tc cannot do it: this kernel has no netem' e" .. CLEAN, 0 },
    { "who says who acts on packets needs some", inline [[
scenario "x" { duration = "2s" }
local web = process "web" { run = { "true" }, protocol = "http" }
local users = traffic "users" { to = web, op = "GET /", rate = "1/s" }
fault.loss { link(users, web), ratio = "10%", at = "1s", by = "nfqueue" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ703", 'write network = "namespaces"', "leave `by` out" } },
    { "a fault that meets no packet makes it inconclusive", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
local db = process "db" { run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" } }
local web = process "web" {
  run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" }, connects = { db },
}
local asked = probe "asked" { of = web, tcp = true, every = "100ms" }
fault.loss { link(web, db), ratio = "50%", at = "500ms", lasting = "500ms" }
expect "up" { sometimes = asked.success.ratio:above "50%" }]] .. RUN .. "s/x.lua" .. CLEAN, 3,
        out = { "INCON" } },
    { "one of two runs in a command has no need of namespaces, and gets none", inline [[
scenario "x" { duration = "2s" }
local web = process "web" { run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" } }
local asked = probe "asked" { of = web, tcp = true, every = "100ms" }
expect "up" { sometimes = asked.success.ratio:above "50%" }]] .. RUN
        .. "s/apart.lua s/x.lua" .. BUSY .. "; s=$?; "
        -- Only root comes back out of its namespaces; anybody else is told to take two commands.
        .. "grep -q 'has left the machine' e && s=0; (exit $s)" .. CLEAN, 0 },
    { "a dry run shows addresses, and makes nothing", "$L live --dry-run s/apart.lua", 0,
        out = { "4 namespaces", "198.18.0.2:80, HTTP", "calls -> web: packets to" } },
    { "the word says nothing to a simulation", "$L check s/apart.lua", 0 },
    { "who listens on the loopback of its own network is told where to", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
process "web" { run = { "{{scenario.dir}}/peer", "serve", "127.0.0.1", "{{port}}" },
  ready_within = "500ms" }]] .. RUN .. "s/x.lua" .. CLEAN, 3,
        err = { "it has to listen on {{host}}, which is 198.18.0.2, not on 127.0.0.1" } },
    { "and who does so by IPv6, of which loopback that is not", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
process "web" { run = { "{{scenario.dir}}/peer", "serve", "::1", "{{port}}" }, family = "ipv6",
  ready_within = "500ms" }]] .. RUN .. "s/x.lua 2>e; s=$?; cat e >&2; (exit $s)" .. NO_V6
        .. CLEAN, 3, err = { "which is fd00::c612:2, not on ::1" } },
    { "an endpoint is out of reach", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
endpoint "api" { url = "http://127.0.0.1:1" }]] .. RUN .. "s/x.lua", 2,
        err = { "LZ704", "which a run in namespaces does not reach" } },
    { "so is a place that a probe names", inline [[
scenario "x" { duration = "2s", network = "namespaces" }
probe "api" { tcp = "127.0.0.1:1" }]] .. RUN .. "s/x.lua", 2, err = { "LZ704" } },
    { "another network is none", inline [[
scenario "x" { duration = "2s", network = "namespace" }]] .. "$L check s/x.lua", 2,
        out = { "namespaces" } },
    { "killed, it leaves nothing behind", RUN .. "s/apart.lua >o 2>&1 & pid=$!; "
        .. "for i in $(seq 600); do grep -q 'all are ready' o && break; sleep 0.05; done; "
        .. "kill -9 $pid; wait $pid" .. CLEAN:gsub("exit %$s", "exit 0"), 0 },
}

for _, row in ipairs(rows) do row[2] = BEGIN .. row[2] end
harness(rows)
