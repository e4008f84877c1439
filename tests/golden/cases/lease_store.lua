scenario "A primary without its lease store steps down" { duration = "3m", warmup = "5s" }

local etcd = consensus "etcd" { nodes = 3 }
local db = database "orders" {
  nodes = 3, replication = "sync", failover = { store = etcd, promote = "1s" },
}
local users = traffic "users" { to = db, op = "write order", rate = "20/s", timeout = "2s" }

-- Two of three: nobody has a majority, though the database itself is well.
local outage = fault.kill { etcd.node[1], at = "1m", lasting = "40s" }
fault.kill { etcd.node[2], at = "1m", lasting = "40s" }

expect "it steps down when it cannot renew" {
  eventually = users.success.ratio:below "1%", after = outage, within = "25s", holding = "10s",
}
expect "and somebody leads again when the store is back" {
  eventually = users.success.ratio:above "99%", after = outage.ends, within = "15s",
  holding = "30s",
}
expect "and no write is lost" { at_end = db.lost_acks:equals(0) }
