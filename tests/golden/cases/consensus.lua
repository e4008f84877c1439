scenario "A group agrees while a majority of it works" { duration = "60s", warmup = "5s" }

local etcd = consensus "etcd" { nodes = 3, disk = { latency = "500us" } }

local jobs = service "jobs" {
  replicas = 2,
  handle = {
    ["GET /"] = function(req)
      -- What a node had handed to a leader that is gone is lost: it is put again, elsewhere.
      local put = req:call { etcd, "put", key = "config", value = "blue", timeout = "1s",
        retries = 4 }
      local got = req:call { etcd, "get", key = "config", timeout = "1s", retries = 4 }
      return put.ok and got.value == "blue" and 200 or 500
    end,
    ["POST /work"] = function(req)
      local mine = req:call { etcd, "acquire", key = "work", timeout = "1s", retries = 4 }
      if mine.status == 409 then return 200 end -- another replica works
      local kept = req:call { etcd, "renew", key = "work", timeout = "1s", retries = 4 }
      return mine.ok and kept.ok and 200 or 500
    end,
  },
}

local readers = traffic "readers" { to = jobs, rate = "50/s", op = "GET /", timeout = "8s" }
local workers = traffic "workers" { to = jobs, rate = "1/s", op = "POST /work", timeout = "8s" }

local crash = fault.kill { etcd.leader, at = "20s", lasting = "10s" }
fault.partition { etcd.node[3], etcd.node[1], at = "40s", lasting = "5s" }

expect "no read misses a write" { at_end = etcd.stale_reads:equals(0) }
expect "another node leads within two election timeouts" {
  eventually = etcd.has_leader:at_least "99%", after = crash, within = "4s", holding = "5s",
}
expect "a commit takes a flush and a round trip" { always = etcd.commit.p99:below "10ms" }
expect "with retries hardly anybody notices" { at_end = readers.success.ratio:above "99%" }
expect "no lease runs out" { at_end = etcd.expired:equals(0) }
