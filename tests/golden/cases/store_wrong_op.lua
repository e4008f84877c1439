scenario "A word that no store understands" { duration = "10s" }

local items = store "items" { kind = "key_value" }
service "web" { calls = { call { items, "list carts" } } }
