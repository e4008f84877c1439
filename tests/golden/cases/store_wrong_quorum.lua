scenario "More copies than there are nodes" { duration = "10s" }

store "items" { kind = "key_value", nodes = 3, quorum = { n = 5, w = 3, r = 3 } }
