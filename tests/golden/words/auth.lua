-- Tokens that cannot be.
scenario "Tokens" { duration = "10m" }
local idp = service "idp" {}
local db = database "db" {}
local a = service "a" { auth = {} }
local b = service "b" { auth = { issuer = db } }
local c = service "c" { auth = { issuer = idp, lifetime = "1m", renew = "2m" } }
local d = service "d" { auth = { issuer = idp, holders = 20000 } }
local e = service "e" { auth = { issuer = idp, cooldown = "1s" } }
local f = service "f" { auth = { issuer = idp, lifetime = "0s" } }
local g = service "g" { auth = { issuer = idp, refresh = 5 } }
local h = service "h" { auth = { issuer = idp, expiry = "5m" } }
fault.auth_outage { db, at = "1m" }
fault.key_rotation { idp, at = "1m", withdraw = "yes" }
fault.auth_outage { idp }
