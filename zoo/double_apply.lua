-- A put is slow, its caller gives up and puts again. Both arrive, the first of them after somebody
-- else has written: what had been overwritten is back. Repaired, nothing is put again unless it is
-- certain that the first was not taken.
--
-- At-least-once is not exactly-once: Helland, "Idempotence is not a medical condition" (ACM Queue,
-- 2012); Jepsen's etcd 3.4.3 report (2020) has the same of clients that retry.
scenario "A write takes place once" {
  about = "Broken: a put is tried again after a timeout. Repaired: only after a refusal.",
  tags = { "zoo" }, duration = "30s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local etcd = consensus "etcd" { nodes = 3 }
local api = service "api" {
  replicas = 4,
  handle = {
    ["POST /"] = function(req)
      local put
      if form == "broken" then
        put = req:call { etcd, "put", key = req.key % 2, timeout = "60ms", retries = 3,
          backoff = "5ms" }
      else
        put = req:call { etcd, "put", key = req.key % 2, timeout = "60ms", retries = 3,
          backoff = "5ms", retry_on = { "refused" } }
      end
      return put.ok and 200 or 500
    end,
    ["GET /"] = function(req)
      local got = req:call { etcd, "get", key = req.key % 2, timeout = "2s" }
      return got.ok and 200 or 500
    end,
  },
}
-- Now and then a packet takes long.
link { api, etcd, latency = dist.lognormal { p50 = "2ms", p99 = "90ms" } }

traffic "writers" { to = api, op = "POST /", rate = "30/s", timeout = "5s" }
traffic "readers" { to = api, op = "GET /", rate = "60/s", timeout = "5s" }

expect "what was overwritten stays so" { linearizable = etcd }
