-- A database says itself which node is asked.
scenario "Endpoints of a database" { duration = "1m" }

local db = database "db" { nodes = 2 }
service "web" { calls = { call { db, "read", health = { by = "endpoints" } } } }
