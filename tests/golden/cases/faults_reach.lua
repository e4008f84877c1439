-- Faults of what something else keeps or sees: backups by where they lie, connections by whose pool
-- they are in, what is known of a topic by who looks at it.
scenario "Faults reach what others hold" { duration = "60s", warmup = "5s" }

local bucket = store "bucket" {}
local ledger = database "ledger" { backup = { full = "5s", to = bucket } }
local other = database "other" { backup = { full = "5s" } }
local mail = service "mail" { service_time = "10ms" }
local web = service "web" {
  replicas = 2, service_time = "1ms",
  calls = { call { mail, timeout = "500ms", pool = { max = 4 } } },
}
local users = traffic "users" { to = web, rate = "200/s", timeout = "2s" }
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 2, replication = 2 }
local readers = consumers "readers" { of = orders, work = "1ms" }
traffic "buyers" { to = orders, rate = "50/s" }

local lost = fault.backup_fail { bucket, at = "11s", lasting = "10s" }
-- A leak: of four connections one is left to each replica, which does a hundred mails a second.
local leak = fault.connection_exhaustion { web, mail, limit = 1, at = "20s", lasting = "5s" }
fault.connection_exhaustion { web.replica[2], mail, at = "30s", lasting = "2s" }
fault.consumer_stall { readers, at = "40s", lasting = "10s" }
fault.monitoring_loss { readers, at = "38s", lasting = "8s" }
fault.alert_delay { readers, add = "2s", at = "38s" }

drive("operator", function()
  wait_until(readers.lag.records:above(100))
  mark "paged"
end)

expect "backups kept elsewhere go on" { at_end = other.backups.failed:equals(0) }
expect "those that the bucket keeps fail" { at_end = ledger.backups.failed:equals(2) }
expect "one connection is enough for a hundred a second at most" {
  sometimes = users.latency.p50:above "100ms", during = { after = leak, lasting = "5s" },
}
expect "without any the replica's calls time out" { sometimes = users.errors.ratio:above "40%" }
expect "what was taken is given back" { always = users.latency.p99:below "45ms",
  during = { after = "36s", lasting = "20s" } }
expect "a page is late by what was not seen and by what was slow" {
  eventually = happened "paged", after = "47s", within = "3s",
}
expect "and not there before" { never = happened "paged", during = { after = "38s", lasting = "9s" } }
