-- K05: a partition is read by one member. Six partitions with even keys, members that work on 100
-- records a second each: throughput is 100 min(P, C) if partitions divide evenly; four members
-- saturate at 3 times 100, since two of them have two partitions each; of eight two are idle.
local rows = {
  ["C=4 at 2.9"] = { members = 4, rate = 290, keeps_up = true, assigned = 4 },
  ["C=4 at 3.3"] = { members = 4, rate = 330, assigned = 4 },
  ["C=3"] = { members = 3, rate = 900, throughput = 300, assigned = 3 },
  ["C=6"] = { members = 6, rate = 900, throughput = 600, assigned = 6 },
  ["C=8"] = { members = 8, rate = 900, throughput = 600, assigned = 6 },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]

scenario "partitions bound what members can do" { duration = "5m", warmup = "1m" }

local kafka = broker "kafka" { nodes = 3, disk_write = "0s" }
local orders = topic "orders" { on = kafka, partitions = 6 }
traffic "shop" {
  to = orders, rate = row.rate .. "/s", arrivals = "constant",
  keys = dist.zipf { n = 100000, skew = 0 },
}
local readers = consumers "readers" { of = orders, members = row.members, work = "10ms" }

expect "so many members have partitions" { always = readers.members.assigned:equals(row.assigned) }
if row.throughput then
  expect "throughput" {
    at_end = readers.rate:between(row.throughput * 0.98 .. "/s", row.throughput * 1.01 .. "/s"),
  }
elseif row.keeps_up then
  expect "it keeps up" { always = readers.lag.time:below "12s" }
else
  expect "it falls behind" { at_end = readers.lag.time:above "15s" }
end
