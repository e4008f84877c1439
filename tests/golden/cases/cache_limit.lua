-- A cache of 1,000 entries holds all of 500 keys that are asked for alike; while it may hold 50 it
-- finds one in ten (of keys alike, whoever goes first), and comes back once it may hold all again.
-- Where nothing is evicted what is there stays, but nothing is written while there is too much, and
-- of what is new, once it is empty, 50 are let in.
local eviction = param("eviction", { "lru", "random", "noeviction" })
scenario "A cache has less room" { duration = "90s", warmup = "30s" }
local redis = cache "redis" { entries = 1000, eviction = eviction, nodes = 2 }
local front = service "front" {
  handle = { ["GET /"] = function(req)
    if req:call { redis, "get", key = req.key }.status == 200 then return 200 end
    return req:call { redis, "set", key = req.key, value = 1 }.status == 507 and 507 or 200
  end },
}
traffic "users" { to = front, op = "GET /", rate = "500/s",
                  keys = dist.zipf { n = 500, skew = 0 } }
local less = fault.cache_limit { redis, entries = 50, at = "40s", lasting = "20s" }
expect "all are there" { sometimes = redis.hit_ratio:at_least "99%",
                         during = { after = "35s", lasting = "5s" } }
if eviction == "noeviction" then
  local writers = traffic "writers" { to = redis, op = "set", rate = "10/s",
                                      keys = dist.zipf { n = 500, skew = 0 } }
  expect "what is there is not written" { always = writers.errors.ratio:equals "100%",
                                          during = { after = "41s", lasting = "8s" } }
  fault.flush { redis, at = "50s" }
  expect "what is there stays" { always = redis.hit_ratio:at_least "99%",
                                 during = { after = "40s", lasting = "10s" } }
  expect "what is new is refused once it is full" {
    sometimes = front.errors.ratio:between("86%", "94%"), during = { after = "52s", lasting = "8s" },
  }
else
  expect "one in ten is" { sometimes = redis.hit_ratio:between("8%", "12%"), over = "15s",
                           during = less }
  expect "others went" { sometimes = redis.evictions:at_least(450) }
  expect "no more are kept" { always = redis.entries:at_most(50),
                              during = { after = "41s", lasting = "18s" } }
end
expect "then all are there again" {
  eventually = redis.hit_ratio:at_least "99%", after = less.ends, within = "25s", holding = "1s",
}
