-- A handler with calls, single flight and a follower's share of the outcome.
scenario "A handler serves" { duration = "30s", warmup = "2s" }
local db = database "db" { nodes = 1, query_time = "20ms" }
local shop = service "shop" {
  replicas = 2, concurrency = 200,
  handle = {
    ["GET /item"] = function(req)
      local row = req:once(req.key, function()
        return req:call { db, "select item", timeout = "400ms" }
      end)
      if not row.ok then return 503 end
      req:work "1ms"
      return 200
    end,
  },
}
traffic "users" { to = shop, op = "GET /item", rate = "400/s", keys = dist.zipf { n = 50, skew = 1.5 } }
expect "nobody fails" { always = shop.errors.ratio:equals(0) }
expect "flights are shared" { always = amplification(shop, db):below(0.9) }
