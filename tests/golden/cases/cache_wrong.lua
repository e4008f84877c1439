scenario "A call that no cache understands" { duration = "10s" }

local redis = cache "redis" { entries = 100 }
local db = database "db" {}

service "web" {
  calls = {
    call { redis, "hget cart" },
    call { db, "select cart", ttl = "10s" },
  },
}
