scenario "A quorum has no transactions" { duration = "10s" }

local carts = store "carts" { kind = "key_value", quorum = { n = 3, w = 2, r = 2 } }
service "web" { calls = { call { carts, "transact_write" } } }
