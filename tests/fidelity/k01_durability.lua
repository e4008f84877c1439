-- K01: what Kafka promises of an acknowledged record, and what not. Documentation, "Design:
-- Replication" and the configurations acks, min.insync.replicas, unclean.leader.election.enable.
-- Three copies of one partition, first led by node 1; 100 records a second, evenly, so that counts
-- are exact: what is written in a time during which a copy stands still is what that copy lacks,
-- but for a record that falls on the instant of its end.
local rows = {
  ["acks=none, no crash"] = { acks = "none", least = 1, most = 10 },
  ["acks=leader, crash before copying"] = { acks = "leader", least = 299, most = 300 },
  ["acks=all, two crashes"] = { least = 0, most = 0 },
  ["acks=all, min_isr=2, one in sync"] = { min_isr = 2, least = 0, most = 0, refuses = true },
  ["acks=all, min_isr=1, the last disk"] = { least = 1049, most = 1050 },
  ["unclean, the only one left is behind"] = { unclean = true, least = 999, most = 1000 },
  ["clean, the only one left is behind"] = { least = 0, most = 0, is_offline = true },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local name = param("row", names)
local row = rows[name]

scenario "an acknowledged record is kept, or not" { duration = "70s", warmup = "1s" }

local kafka = broker "kafka" {
  nodes = 3, election = name:find "before copying" and "8s" or "2s", flush = "10s",
  disk_write = "0s", replica_lag_time = "60s",
}
local orders = topic "orders" {
  on = kafka, replication = 3, min_isr = row.min_isr, unclean = row.unclean,
}
local shop = traffic "shop" {
  to = orders, rate = "100/s", arrivals = "constant", beside = true, acks = row.acks or "all",
  timeout = "1s", overall_timeout = "5s",
}

if name == "acks=none, no crash" then
  -- Told to stop, node 1 hands its lead over first; the producer has not heard of it yet.
  fault.stop { kafka.node[1], at = "20s", lasting = "20s" }
elseif name == "acks=leader, crash before copying" then
  fault.partition { kafka.node[1], kafka, at = "10s", lasting = "10s" }
  fault.kill { kafka.node[1], at = "13s", lasting = "20s" }
elseif name == "acks=all, two crashes" then
  fault.kill { kafka.node[1], at = "10s" }
  fault.kill { kafka.node[2], at = "20s" }
elseif name == "acks=all, min_isr=2, one in sync" then
  fault.isr_shrink { orders, at = "10s", lasting = "50s" }
elseif name == "acks=all, min_isr=1, the last disk" then
  -- Flushed is what is older than 10 s: at 30.5 s what was written until 20 s.
  fault.isr_shrink { orders, at = "10s", lasting = "50s" }
  fault.down { kafka.node[1], at = "30500ms", lasting = "1s" }
else
  fault.isr_shrink { orders, at = "10s", lasting = "59s" }
  fault.kill { kafka.node[1], at = "20s" }
end

expect "as many acknowledged records are lost" {
  at_end = orders.lost_acks:between(row.least, row.most),
}
if row.refuses then
  expect "records are refused while one copy is in sync" {
    always = orders.errors.ratio:above "99%", during = { after = "12s", lasting = "40s" },
  }
end
if row.is_offline then
  expect "nobody leads" { at_end = orders.partitions.offline:equals(1) }
elseif not row.refuses then
  expect "somebody leads at the end" { at_end = orders.partitions.offline:equals(0) }
end
