scenario "What is asked first" { duration = "10s" }

local redis = cache "redis" { entries = 100 }
local db = database "db" {}

service "web" {
  calls = {
    call { db, "select cart", through = db },
    call { db, "select cart", through = call { redis, "set" } },
    call { db, "select cart", through = call { redis, optional = true } },
    call { db, "select cart", through = call { redis, beta = -1 } },
    call { db, "select cart", through = "redis" },
  },
}

fault.hot_key { redis, at = "1s" }
fault.expire { db, at = "1s" }
