-- What a request cannot work for.
scenario "A handler works for a share" { duration = "30s" }
local shop = service "shop" {
  handle = { ["GET /item"] = function(req)
    req:work "20%"
    return 200
  end },
}
traffic "users" { to = shop, op = "GET /item", rate = "20/s" }
expect "it answers" { at_end = shop.errors.ratio:below "1%" }
