scenario "A shard that is not there" { duration = "10s" }

local redis = cache "redis" { entries = 100, nodes = 6, mode = "cluster", cluster = { replicas = 1 } }
local plain = cache "plain" { entries = 100 }

fault.kill { redis.shard[4], at = "5s" }
fault.kill { plain.shard[1], at = "5s" }
redis:reshard { slots = 5, from = 1, to = 2 }
