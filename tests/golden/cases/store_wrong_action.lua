scenario "A transaction has one action for each item" { duration = "10s" }

local carts = store "carts" { kind = "key_value" }
local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      return req:call { carts, "transact_write", actions = {
        { "put", key = "a", value = 1 }, { "increment", key = "a" } } }
    end,
  },
}
traffic "users" { to = web, op = "GET /", rate = "1/s" }
