-- An error in a service's own code: virtual time, component and request.
scenario "A handler goes wrong" { duration = "1m" }
local prices = { apple = 3 }
local shop = service "shop" {
  replicas = 2,
  handle = {
    ["GET /price"] = function(req)
      local key = req.key
      req:work "1ms"
      return prices.apple + prices.pear + key
    end,
  },
}
traffic "users" { to = shop, op = "GET /price", rate = "20/s" }
expect "quick" { always = shop.latency.p99:below "300ms" }
