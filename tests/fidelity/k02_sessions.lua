-- K02: how a group notices that a member is gone. Four members, four partitions of 250 records a
-- second each. KIP-735 and the upgrade notes of Kafka 3.0 (session.timeout.ms 45 s, before 10 s,
-- heartbeat.interval.ms 3 s), max.poll.interval.ms 300 s, group.initial.rebalance.delay.ms 3 s.
-- The last heartbeat came up to 3 s before the crash, and the others hear of the rebalance with
-- theirs, up to 3 s later: 45 s +- 3 s, and so 250 * 45 = 11250 records.
local rows = {
  ["since 3.0"]     = { least = 42, most = 48.5 },
  ["before 3.0"]    = { session = "10s", least = 7, most = 13.5 },
  ["told to stop"]  = { least = 0, most = 3.5, all_wait = true },
  ["a stuck poll"]  = { least = 297, most = 307 },
  ["from nothing"]  = { least = 3, most = 6, all_wait = true },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local name = param("row", names)
local row = rows[name]

scenario "a member is gone" { duration = "420s", warmup = "1s" }

local kafka = broker "kafka" { nodes = 3, disk_write = "0s" }
local orders = topic "orders" { on = kafka, partitions = 4 }
traffic "shop" { to = orders, rate = "1k/s", arrivals = "constant", batch_size = "1KiB" }
local readers = consumers "readers" {
  of = orders, members = 4, work = "100us", session = row.session,
}

if name == "told to stop" then
  fault.stop { readers.member[2], at = "60s" }
elseif name == "a stuck poll" then
  fault.consumer_stall { readers.member[2], at = "60s", lasting = "340s" }
elseif name == "from nothing" then
  fault.stop { readers, at = "60s", lasting = "1s" }
  expect "the first rebalance waits 3 s for others" {
    at_end = readers.rebalance.time.max:between("3s", "3.5s"),
  }
else
  fault.kill { readers.member[2], at = "60s" }
end

-- In an eager rebalance those who have joined wait for the last.
local per_second = row.all_wait and 1000 or 250
expect "its records wait so long" {
  sometimes = readers.lag.records:at_least(row.least * per_second),
}
expect "and no longer" { always = readers.lag.records:at_most(row.most * per_second + 100) }
expect "then they are read" { at_end = readers.lag.time:below "2s" }
