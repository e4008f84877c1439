-- What a cache's and a store's own words mean in a history: setnx and put_if_absent that were
-- refused have done nothing, an increment has written what it came to, a delete nothing.
scenario "What was asked of a cache is explained" { duration = "10s" }

local reads = param("reads", { "primary", "replicas" })

local redis = cache "redis" { entries = 1000, nodes = 2, reads = reads }
local carts = store "carts" { kind = "key_value" }
link { redis, redis, latency = "20ms" }

local OPS = { "set", "get", "incr", "get", "setnx", "get", "del", "get" }
local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      for _, op in ipairs(OPS) do
        req:call { redis, op, key = req.key % 5, timeout = "1s" }
      end
      req:call { carts, "put", key = req.key % 5, timeout = "1s" }
      req:call { carts, "increment", key = req.key % 5, value = 3, timeout = "1s" }
      return 200
    end,
  },
}
traffic "users" { to = api, op = "POST /", arrivals = "constant",
  rate = shape.steps { { "0s", "40/s" }, { "9s", "0/s" } } }

expect "a cache is one copy of each key" { linearizable = redis }
expect "who has written reads it" { read_your_writes = redis }
expect "so is a store" { linearizable = carts }
