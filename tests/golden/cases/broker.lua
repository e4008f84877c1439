-- Records from a handler, with keys and values, worked on by another, which calls; one that nobody
-- can work on; retries that write twice where nobody recognises them.
scenario "Records from hand to hand" { duration = "1m" }

local kafka = broker "kafka" { nodes = 3, election = "1s" }
local orders = topic "orders" { on = kafka, partitions = 3, replication = 3, min_isr = 2 }
local views = topic "views" { on = kafka, partitions = 2, replication = 2 }

local shop = service "shop" {
  handle = { ["POST /order"] = function(req)
    local r = req:call { orders, "produce", key = req.key, value = "order of " .. req.key,
        timeout = "2s", retries = 3 }
    return r.ok and 200 or 503
  end },
}
local users = traffic "users" { to = shop, op = "POST /order", rate = "20/s", arrivals = "constant",
    keys = dist.zipf { n = 100, skew = 1 } }
local store = service "store" { service_time = "2ms" }
local wrong = 0
local billing = consumers "billing" {
  of = orders, members = 2, work = "1ms",
  handle = function(record)
    if record.value ~= "order of " .. record.key then wrong = wrong + 1 end
    if record.offset == 100 then
      log("partition %d, offset 100: %s, wrong so far %d", record.partition, record.value, wrong)
    end
    return record:call { store, "save", key = record.key, timeout = "1s", retries = 5 }.ok
  end,
}

-- A short patience, and nobody who recognises retries.
local clicks = traffic "clicks" { to = views, rate = "100/s", timeout = "300ms", retries = 20,
    overall_timeout = "30s", idempotent = false }
local counting = consumers "counting" {
  of = views, members = 3, work = "100us", protocol = "cooperative", commit = { after = "batch" },
}
fault.latency { link(clicks, kafka), add = "400ms", at = "10s", lasting = "2s" }
fault.poison_message { orders.partition[1], at = "20s", lasting = "5s" }
fault.kill { kafka.node[1], at = "30s", lasting = "5s" }
fault.stop { counting.member[1], at = "40s", lasting = "5s" }
fault.consumer_stall { billing.member[2], at = "50s", lasting = "3s" }

expect "orders are written" { at_end = users.success.ratio:above "99%" }
expect "what was acknowledged is there" { at_end = orders.lost_acks:equals(0) }
expect "retries wrote clicks twice" { at_end = views.duplicates:above(50) }
expect "and so they are counted twice" { at_end = counting.duplicates:above(50) }
expect "none is missed" { at_end = counting.lost:equals(0) }
expect "one record holds up its partition" {
  sometimes = billing.lag.time:above "4s", during = { after = "20s", lasting = "6s" },
}
expect "billing is up to date at the end" { at_end = billing.lag.records:below(10) }
expect "each broker's node leads again what it led" { at_end = kafka.partitions.under_replicated:equals(0) }
