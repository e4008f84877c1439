scenario "Items have no versions" { duration = "10s" }

local carts = store "carts" { kind = "key_value" }
local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      return req:call { carts, "get", key = "a", version = 3 }
    end,
  },
}
traffic "users" { to = web, op = "GET /", rate = "1/s" }
