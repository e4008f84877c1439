-- What only a lying disk's cache has outlives the process, as often as it ends, and goes with the
-- power: also when that goes before the next process begins, or long after it did. Of a hundred
-- writes a second those of ten seconds are lost, or of twenty, or none. A topic keeps nothing of
-- the last 30 s but the system's memory, which a process leaves behind as well.
local what = param("what", { "database", "masters", "topic" })
local ends = param("ends", { "killed", "killed, then power", "power while dead", "honest between" })

scenario "A start makes no disk honest" { duration = "1m", warmup = "1s" }

local rate = { to = nil, rate = "100/s", arrivals = "constant", timeout = "500ms" }
local disk, held
if what == "topic" then
  disk = broker "bus" { nodes = 1 }
  held = topic "orders" { on = disk, partitions = 1, replication = 1 }
  rate.to, rate.acks = held, "all"
else
  disk = database "db" { nodes = what == "database" and 1 or 2,
                         replication = what == "masters" and "multi" or nil }
  held = disk
  rate.to, rate.op = held, "write x"
end
traffic "users" (rate)

local honest = ends == "honest between"
fault.fsync_lie { disk, at = "20s", lasting = honest and "15s" or "30s" }
fault.kill { disk, at = "30s", lasting = "1s" }
if ends ~= "killed" then
  fault.down { disk, at = ends == "power while dead" and "30500ms" or "40s", lasting = "1s" }
end

local lost = {
  database = { ["killed, then power"] = { 1850, 2001 }, ["power while dead"] = { 950, 1001 } },
  masters = {}, -- each has what was sent to it
  topic = { ["killed, then power"] = { 2300, 2500 }, ["honest between"] = { 2300, 2500 },
            ["power while dead"] = { 2900, 3001 } },
}
local least, most = table.unpack(lost[what][ends] or { -1, 0.5 })
expect "as much is lost as the cache had" { at_end = held.lost_acks:between(least, most) }
