-- databases.lua — databases of all kinds under faults drawn at random: no run crashes or hangs.
--
--     lua5.4 tests/fuzz/databases.lua LORENZ FOLDER COUNT [FIRST]
--
-- Scenario number N is a function of N. They are written to FOLDER and run in one command; those
-- that went wrong stay there, and what was printed of them is shown.
package.path = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/?.lua;" .. package.path
local files = require "files"

local lorenz, folder, count, first = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4] or 1)

local function one_of(t) return t[math.random(#t)] end

local FAULTS = { "kill", "kill", "down", "pause", "partition", "fsync_lie", "latency",
  "replication_lag" }
local FAILOVERS = {
  [[{ detect = "2s", promote = "1s" }]],
  [[{ ttl = "6s", loop_wait = "2s", retry_timeout = "2s" }]],
  [[{ detect = "1s", promote = "500ms", fencing = false }]],
}

-- Log that is removed, or fills a disk.
local RETAINS = {
  [[ wal = {},]], [[ wal = { slots = true },]], [[ wal = { wal_keep_size = "64MiB" },]],
  [[ wal = { slots = true, max_slot_wal_keep_size = "64MiB" },]],
  [[ wal = { slots = true, copy = { after = "3s", size = "400MB" } }, restart = "always",]],
}

local function retains()
  local disk = one_of { "", [[ disk = { size = "1GB", used = "700MB" },]] }
  local checkpoint = ([[ checkpoint = { timeout = "%ds", record = "128KiB", pages = 1000 },]])
    :format(one_of { 2, 5, 10 })
  return one_of(RETAINS) .. disk .. checkpoint .. one_of { "", [[ replay = "300/s",]] }
end

local function fault(nodes)
  local kind = one_of(FAULTS)
  local is_node = kind ~= "replication_lag" and math.random() < 0.8
  local target = is_node and ("db.node[%d]"):format(math.random(nodes)) or "db"
  local lasting = kind == "fsync_lie" and math.random(10, 30) or math.random(12)
  local more = kind == "latency" and [[, add = "300ms", ratio = "20%", per = "connection"]]
    or kind == "replication_lag" and (", add = \"%dms\""):format(one_of { 1, 5, 20, 100 }) or ""
  return ([[fault.%s { %s, at = "%ds", lasting = "%ds"%s }]]):format(kind, target,
    math.random(30), lasting, more)
end

local function scenario(number)
  math.randomseed(number)
  local replication = one_of { "sync", "async", "async", "multi" }
  local has_one = replication ~= "multi"
  local nodes = one_of { 2, 3, 3, 5 }
  local reads = has_one and math.random(2) == 1
  local transaction = math.random(3) == 1 and ", transaction = { reads = 1, writes = 3 }"
    or ", retries = 1"
  local faults = {}
  for i = 1, math.random(3, 8) do faults[i] = fault(nodes) end
  local kept = has_one and math.random(3) == 1 and retains() or ""
  return ([[
scenario "Random faults %d" { duration = "40s" }
local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }
local db = database "db" {
  nodes = %d, spread = eu, replication = "%s", query_time = "%dms", max_connections = 400,%s%s%s
}
local web = service "web" { concurrency = 128, service_time = "1ms", replicas = 2, calls = {
  call { db, "write order", timeout = "500ms"%s },%s
} }
traffic "users" { to = web, rate = "%d/s"%s }
%s
expect "it ends" { always = web.errors.ratio:at_most "100%%" }
]]):format(number, nodes, replication, one_of { 1, 1, 3 }, reads and ' reads = "replicas",' or "",
    has_one and " failover = " .. one_of(FAILOVERS) .. "," or "", kept, transaction,
    reads and ' call { db, "select order", timeout = "500ms" },' or "", one_of { 60, 200, 500 },
    math.random(3) == 1 and ', arrivals = "constant"' or "", table.concat(faults, "\n"))
end

files.clear(folder)
for number = first, first + count - 1 do
  files.write(("%s/%d.lua"):format(folder, number), scenario(number))
end
local text, status = files.run(("'%s' run --keep none --timeout 2m '%s'"):format(lorenz, folder))
-- What fails or was not touched is as good as what holds: nothing is claimed of these systems.
local is_good = (status == 0 or status == 1 or status == 3) and not text:find "\nERROR"
    and not text:find "a bug of Lorenz"
print "1..1"
print(("%s 1 - %d databases under random faults, from number %d: none crashes, none stands still")
  :format(is_good and "ok" or "not ok", count, first))
if not is_good then io.stderr:write(text) end
if is_good then os.execute(("rm -rf '%s'"):format(folder)) end
os.exit(is_good)
