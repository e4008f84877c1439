-- The same seed is the same run, and nobody's draws depend on who else is there.
--
-- Method: run the program, read its JSON, compare texts. TAP.
local lorenz = arg[1]
local count, failed = 0, 0

local function check(name, ok, detail)
    count = count + 1
    if not ok then
        failed = failed + 1
        if detail then print("# " .. tostring(detail)) end
    end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", count, name))
end

local function json(arguments)
    local command = ("%s run --keep none --report-only -o json=- %s"):format(lorenz, arguments)
    local pipe = assert(io.popen(command))
    local text = pipe:read "a"
    pipe:close()
    return text
end

local function hashes(text)
    local list = {}
    for h in text:gmatch '"trace_hash":"(%x+)"' do list[#list + 1] = h end
    return table.concat(list, " ")
end

local function scenario(text)
    local path = os.tmpname()
    os.rename(path, path .. ".lua")
    path = path .. ".lua"
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    return path
end

for _, path in ipairs { "scenarios/db_failover.lua", "examples" } do
    local first, second = json(path), json(path)
    check(path .. " is the same run twice, in two processes",
        first == second and #hashes(first) > 0)
end

check("another seed is another run",
    hashes(json "examples/fault.lua --seed 1") ~= hashes(json "examples/fault.lua --seed 2"))
check("one worker or two give the same document",
    json "scenarios/retry_storm.lua -j 1" == json "scenarios/retry_storm.lua -j 2")

-- Two systems that know nothing of each other; a fault, or a whole component, of the second.
local TWO = [[
scenario "Two systems side by side" { duration = "40s", warmup = "5s" }
local db = database "a-db" {
  nodes = 3, query_time = dist.lognormal { p50 = "2ms", p99 = "20ms" },
}
local a = service "a" { replicas = 3, service_time = dist.exponential { mean = "5ms" },
  calls = { call { db, "select x", timeout = "15ms", retries = 2, backoff = "5ms" } } }
traffic "a-users" { to = a, rate = "120/s" }
fault.loss { link(a, db), ratio = "2%%", at = "10s", lasting = "20s" }
local b = service "b" { replicas = 3, service_time = dist.exponential { mean = "5ms" } }
traffic "b-users" { to = b, rate = "80/s" }
%s
expect "a is served" { always = a.latency.p50:below "1s" }
]]

local function metrics_of_a(extra)
    local path = scenario(TWO:format(extra))
    local text = json(path)
    os.remove(path)
    local list = {}
    for name, value in text:match('"metrics":(%b{})'):gmatch '"(a[%w%-]*%.[^"]+)":([^,}]+)' do
        list[#list + 1] = name .. "=" .. value
    end
    return table.concat(list, "\n")
end

local without = metrics_of_a ""
check("there is something to compare", #without > 1000, without)
check("deleting an unrelated fault leaves every other component's draws unchanged",
    without == metrics_of_a 'fault.kill { b, pick = 1, at = "12s", lasting = "5s" }')
check("deleting unrelated faults on the network leaves other links' draws unchanged",
    without == metrics_of_a
        'fault.latency { b, add = dist.exponential { mean = "3ms" }, at = "9s" }')
check("an unrelated component leaves every other component's draws unchanged",
    without == metrics_of_a 'traffic "more" { to = b, rate = "10/s" }')
check("a fault that concerns it changes it",
    without ~= metrics_of_a 'fault.kill { a, pick = 1, at = "12s", lasting = "5s" }')

check("what another caller does beside a plain call leaves every other's draws unchanged",
    without == metrics_of_a [[traffic "more" { to = b, rate = "10/s", balance = "power_of_two",
      retries = 2, retry_budget = "10%", hedge = { after = "8ms" }, breaker = {}, throttle = {},
      outliers = {}, jitter = "decorrelated" }]])

-- The same system, whose callers may do more than they have a reason to.
local ONE = [[
scenario "A caller with every reason to be calm" { duration = "20s" }
local b = service "b" { replicas = 3, service_time = dist.exponential { mean = "5ms" } }
local a = service "a" { replicas = 2, calls = { call { b, timeout = "9s", retries = 2%s } } }
traffic "a-users" { to = a, rate = "80/s" }
expect "a is served" { always = a.latency.p50:below "1s" }
]]

local function latencies(extra)
    local path = scenario(ONE:format(extra))
    local text = json(path)
    os.remove(path)
    local list = {}
    local metrics = text:match '"metrics":(%b{})'
    for name, value in metrics:gmatch '"([ab][%w%-]*%.latency[^"]+)":([^,}]+)' do
        list[#list + 1] = name .. "=" .. value
    end
    return table.concat(list, "\n")
end

local plain = latencies ""
check("there are latencies to compare", #plain > 500, plain)
for _, extra in ipairs { 'hedge = { after = "8s" }', "breaker = {}", "throttle = {}",
    'retry_budget = "10%"', 'overall_timeout = "9s"', 'jitter = "equal"' } do
    check(extra .. " changes nothing while it has no reason to act",
        latencies(", " .. extra) == plain)
end
check("one that acts does", latencies ', hedge = { after = "8ms" }' ~= plain)

-- What draws where others are numbered: with a neighbour declared before it, each number is
-- another.
local NEIGHBOUR = [[
local other = service "other" { replicas = 3 }
traffic "others" { to = other, rate = "10/s" }
]]
local UNMOVED = { -- a body, and what is another in one that is not the same
    ["health checks of a balancer"] = { [[
local b = service "b" { replicas = 5, concurrency = 1, service_time = "20ms" }
local a = service "a" { calls = { call { b,
  health = { every = "500ms", timeout = "9ms", fails = 1, passes = 1 } } } }
traffic "users" { to = a, rate = "120/s" }
link { a, b, latency = dist.exponential { mean = "5ms" } }
]], 'timeout = "9ms"', 'timeout = "12ms"' },
    ["health checks of a name"] = { [[
local west, east = region "west" {}, region "east" {}
local b = service "b" { on = west }
local c = service "c" { on = east }
local name = dns "name" { answers = { b, c }, ttl = "1s",
  health = { every = "500ms", timeout = "110ms", fails = 1, passes = 1 } }
traffic "users" { to = name, rate = "40/s" }
fault.latency { b, at = "1s", add = dist.exponential { mean = "20ms" } }
fault.latency { c, at = "1s", add = dist.exponential { mean = "20ms" } }
]], 'timeout = "110ms"', 'timeout = "90ms"' },
    ["who stays with the old side of a split brain"] = { [[
local db = database "db" { nodes = 3, failover = { detect = "1s", promote = "1s" } }
local a = service "a" { replicas = 16, calls = { call { db, "write x", timeout = "200ms" } } }
traffic "users" { to = a, rate = "200/s", keys = dist.zipf { n = 50, skew = 1 } }
fault.split_brain { db, at = "4s", lasting = "9s" }
]], 'lasting = "9s"', 'lasting = "9s", stay = "90%%"' },
    ["samples lost to an autoscaler"] = { [[
local a = service "a" { replicas = 2, cpu = 1, concurrency = 8, service_time = "10ms",
  autoscale = { max = 6, target_cpu = "50%", startup = "1s", cooldown = "1s", period = "500ms" } }
local tide = shape.sine { mean = "150/s", amplitude = "120/s", period = "8s" }
traffic "users" { to = a, rate = tide }
fault.monitoring_loss { a, at = "1s", ratio = "60%" }
]], '60%%', '90%%%%' },
    ["alerts that are late"] = { [[
local a = service "a" {}
traffic "users" { to = a, rate = "50/s" }
fault.alert_delay { a, at = "1s", add = dist.exponential { mean = "2s" } }
drive("pager", function()
  for _ = 1, 3 do
    wait_until(a.rate:above "1/s", { timeout = "10s" })
    fault.degrade { a, factor = 20, lasting = "1s" }
    sleep "1500ms"
  end
end)
]], 'mean = "2s"', 'mean = "1s"' },
    ["slots that clients of a cluster ask for"] = { [[
local redis = cache "redis" { mode = "cluster", nodes = 6, entries = 1000,
  cluster = { replicas = 1, node_timeout = "2s" } }
local a = service "a" { replicas = 4, handle = { ["GET /"] = function(req)
  req:call { redis, "set", key = req.key, timeout = "300ms", retries = 2 }
  return 200
end } }
traffic "users" { to = a, rate = "100/s", keys = dist.zipf { n = 500, skew = 0.5 } }
fault.latency { redis, at = "1s", add = dist.exponential { mean = "10ms" } }
fault.kill { redis.node[1], at = "4s", lasting = "8s" }
]], 'redis.node%[1%]', 'redis.node[2]' },
    ["writes that a disk loses, and what SQL draws"] = { [[
local db = database "db" {
  schema = "create table x (id integer primary key, n integer)", failover = false,
}
local a = service "a" { handle = { ["GET /"] = function(req)
  local one = req:sql { db, "insert into x (n) values (abs(random()) % 1000)" }
  local two = req:sql { db, "select sum(n) % 7 as s from x" }
  req:sleep((two.ok and two.rows[1].s or 0) * dur "1ms")
  return one.ok and two.ok and 200 or 500
end } }
traffic "users" { to = a, rate = "20/s" }
fault.lost_write { db, at = "2s", lasting = "10s", ratio = "20%" }
fault.down { db, at = "8s", lasting = "1s" }
]], '20%%', '90%%%%' },
    ["a surge of several traffics"] = { [[
local a = service "a" { concurrency = 2, service_time = "5ms" }
traffic "users" { to = a, rate = "50/s" }
traffic "guests" { to = a, rate = "20/s" }
fault.surge { a, at = "3s", lasting = "9s", factor = 4 }
]], 'factor = 4', 'factor = 5' },
}

local function metrics_with(front, body)
    local head = 'scenario "Unmoved" { duration = "15s" }\n'
    local path = scenario(head .. front .. body)
    local text = json(path)
    os.remove(path)
    local list = {}
    for name, value in (text:match '"metrics":(%b{})' or ""):gmatch '"([^"]+)":([^,}]+)' do
        if not name:find "^other" then list[#list + 1] = name .. "=" .. value end
    end
    return table.concat(list, "\n")
end

local names = {}
for name in pairs(UNMOVED) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
    local body, from, to = table.unpack(UNMOVED[name])
    local alone = metrics_with("", body)
    check(name .. ": a neighbour declared in front leaves them unchanged",
        #alone > 300 and alone == metrics_with(NEIGHBOUR, body), alone)
    check(name .. ": what concerns them does not",
        alone ~= metrics_with("", (body:gsub(from, to))), alone)
end

print("1.." .. count)
os.exit(failed == 0, true)
