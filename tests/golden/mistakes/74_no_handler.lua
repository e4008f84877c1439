-- Operations that a service has no handler for; one without an operation gets the first.
scenario "Who handles that" { duration = "1m", warmup = "5s" }
local shop = service "shop" { handle = {
  ["GET /order"] = function() return 200 end,
  ["POST /order"] = function() return 200 end,
} }
local front = service "front" { calls = { call { shop, "GET /price" } } }
traffic "buyers" { to = shop, op = "POST /orders", rate = "5/s" }
traffic "right" { to = shop, op = "POST /order", rate = "5/s" }
traffic "any" { to = shop, rate = "5/s" }
traffic "guests" { to = front, op = "GET /anything", rate = "5/s" }
expect "few errors" { always = shop.errors.ratio:below "1%" }
