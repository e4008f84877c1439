-- A read that is tried again is answered by one replica while another one still works on the first:
-- what servers did last says nothing about the answer that was seen.
local add = param("add", { "50ms", "54ms", "58ms" })

scenario "A counter is read again" { duration = "40s" }

local redis = cache "redis" { nodes = 3, mode = "sentinel", entries = 1000, reads = "replicas" }
link { redis.node[1], redis.node[2], latency = "20s" }

local asked = 0
local web = service "web" {
  handle = {
    ["POST /x"] = function(req)
      asked = asked + 1
      local key = 0
      if asked > 10 then
        key = asked
        req:call { redis, "incr", key = key, timeout = "5s" }
        req:sleep "200ms"
      end
      req:call { redis, "get", key = key, timeout = "50ms", retries = 1, backoff = "1us" }
      return 200
    end,
  },
}
link { web, redis.node[2], latency = "10ms" }
link { web, redis.node[3], latency = "10ms" }
fault.latency { web, redis.node[2], add = add, at = "10.5s" }

traffic "users" {
  to = web, op = "POST /x", arrivals = "constant",
  rate = shape.steps { { "0s", "1/s" }, { "30s", "0/s" } },
}

expect "no read is beyond what was added" { counter = redis }
