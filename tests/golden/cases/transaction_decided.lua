-- A commit is answered once it is decided (KIP-98: when PREPARE_COMMIT is in the coordinator's
-- log): 2 * 30 ms and the write's 1 ms, wherever its marker has to go. That takes 100 ms where the
-- coordinator does not lead the partition, as for "b" and "c". Who reads what is committed waits for
-- it, and so does what the producer writes next: asked 30, 80 and 130 ms after the decision, its
-- third request is taken, and another 30 ms later the next decision falls.
local rate = param("rate", { "2/s", "200/s" })
local id = param("id", { "a", "b", "c" })
scenario "A commit does not wait for its markers" { duration = "61s", warmup = "1s" }

local kafka = broker "kafka" { nodes = 3 }
link { kafka, kafka, latency = "50ms" }
local orders = topic "orders" { on = kafka, partitions = 1, replication = 1 }
local shop = traffic "shop" {
  to = orders, transactional_id = id, rate = rate, arrivals = "constant", timeout = "5s",
}
local readers = consumers "readers" { of = orders, isolation = "read_committed" }

if rate == "2/s" then
  expect "a commit takes two requests" { at_end = shop.latency.max:between("60ms", "62ms") }
else
  local cycle = id == "a" and 0.060 or 0.160
  expect "the next one waits for the markers" {
    at_end = kafka.transactions.committed:between(0.98 * 60 / cycle, 1.03 * 60 / cycle),
  }
end
expect "all is read" { at_end = readers.lag.records:below(60) }
expect "what was acknowledged is there" { log_intact = orders }
