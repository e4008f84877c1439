-- What people write who come from Chaos Mesh, Litmus, Gremlin, Toxiproxy and Chaos Toolkit.
scenario "Words from elsewhere" { duration = "10m" }
local db = database "db" { nodes = 3 }
local web = service "web" { memory = "512MiB", calls = { call { db, "select", timeout = "1s" } } }
local users = traffic "users" { to = web, rate = "100/s", keys = 5 }
experiment "web survives" {}
deployment "shop" { replicas = 3 }
fault.io_fault { db, at = "1m", lasting = "30s" }
fault["pod-delete"] { web, at = "1m" }
fault.http_chaos { web, at = "1m" }
fault.kernel_chaos { web, at = "1m" }
fault.az_outage { web, at = "1m" }
fault.blackhole { web, percent = 10, at = "2m", lasting = "30s" }
fault.latency { link(web, db), latency = "1s", at = "2m", lasting = "30s" }
fault.clock_step { web, by = "-10m", at = "2m", lasting = "30s" }
fault.partition { { db.node[1], db.node[2] }, db, at = "2m", lasting = "30s" }
local outage = fault.kill { db.primary, at = "4m" }
local cut = fault.loss { link(web, db), ratio = "5%", at = "5m +- 10s", lasting = "30s",
    every = "1m" }
expect "it is available" { always = users.success.ratio > 0.99 }
expect "nothing is lost" { at_end = db.lost_acks == 0 }
expect "it is quick" { always = users.latency.p99:below "1s", except = outage }
expect "it is as quick" { always = users.latency.p99:below "1s", except = cut }
expect "it was quick" { always = users.latency.p99:below "1s", before = "4m" }
