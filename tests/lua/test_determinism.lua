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

print("1.." .. count)
os.exit(failed == 0, true)
