-- A producer's requests share one TCP connection: whatever the latency does, they come in the order
-- in which they were sent, so that nothing is out of order that was never sent again; and a broker
-- works on one request of a connection at a time ("the broker's request processing allows only a
-- single in-flight request per connection", Kafka's protocol guide), so that five under way are no
-- faster than one where each takes 10 ms: 100 a second.
local form = param("form", { "order", "idempotent", "one under way", "five under way" })
local is_order = form == "order" or form == "idempotent"
scenario "A producer's requests stay in line" { duration = "40s", warmup = "1s" }

local kafka = broker "kafka" { nodes = 1, disk_write = is_order and "100us" or "10ms" }
local orders = topic "orders" { on = kafka, partitions = 1 }
consumers "readers" { of = orders, members = 1, reset = "earliest" }
local shop = traffic "shop" {
  to = orders, rate = is_order and "200/s" or "1k/s", arrivals = "constant",
  acks = form == "idempotent" and "all" or "leader",
  idempotent = form == "idempotent" or nil, retries = 3, timeout = is_order and "5s" or "1h",
  batch_size = is_order and "16KiB" or "1B", max_in_flight = form == "one under way" and 1 or 5,
}
link { shop, kafka, latency = is_order and dist.exponential { mean = "20ms" } or "1us",
       loss = is_order and 0.01 or 0 }

if is_order then
  expect "the log is what was sent" { log_intact = orders }
  expect "all are written" { always = shop.errors.ratio:equals(0) }
  expect "none is sent again" { at_end = orders.duplicates:equals(0) }
else
  expect "a hundred a second" { always = orders.rate:between("98/s", "101/s") }
end
