scenario "Nobody says who leads by hand where it is the first node" { duration = "10s" }

local redis = cache "redis" { nodes = 3, mode = "single", entries = 100 }
fault.failover { redis, at = "5s" }
