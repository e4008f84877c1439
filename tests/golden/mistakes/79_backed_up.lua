-- What backups are sent to is reached (no LZ120).
scenario "A vault" { duration = "2m" }
local vault = service "vault" {}
local db = database "db" { backup = { full = "1m", to = vault } }
local web = service "web" { calls = { call { db, "select" } } }
local edge = dns "edge" { policy = "anycast", answers = { web } }
traffic "users" { to = edge, rate = "10/s" }
