scenario "Nobody says who leads by hand where sentinels do" { duration = "10s" }

local redis = cache "redis" { nodes = 3, mode = "sentinel", entries = 100 }
fault.failover { redis, at = "5s" }
