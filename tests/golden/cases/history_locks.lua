-- Keys that are held as locks come and go with leases, of which no client is told: a read finds a
-- holder that nobody wrote. As registers they are left out; the others are judged.
scenario "A lock is no register" { duration = "10s" }

local etcd = consensus "etcd" { nodes = 3, lease = "1500ms" }
local app = service "app" { handle = {
  ["POST /"] = function(req)
    req:call { etcd, "get", key = req.key }
    req:call { etcd, "delete", key = req.key }
    req:call { etcd, "put", key = req.key }
    return req:call { etcd, "get", key = req.key }.ok and 200 or 503
  end,
  ["POST /lock"] = function(req)
    if not req:call { etcd, "acquire", key = req.key }.ok then return 409 end
    req:sleep "1200ms"
    req:call { etcd, "release", key = req.key }
    return 200
  end,
} }
local function users(name, op, keys)
  traffic(name) { to = app, op = op, arrivals = "closed", users = 2, think = "300ms",
    keys = dist.zipf { n = keys, skew = 1 } }
end
users("writers", "POST /", 3)
users("lockers", "POST /lock", 1) -- the first of them

expect "keys are as if there were one copy" { linearizable = etcd }
expect "what one reads never goes back" { monotonic_reads = etcd }
expect "requests could have come one by one" { serializable = etcd }
