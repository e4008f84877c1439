scenario "A cache is flushed" { duration = "1m" }
local redis = cache "redis" { entries = 100 }
fault.flush { redis, at = "30s" }
