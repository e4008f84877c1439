-- Gateways that cannot be.
scenario "Gateways" { duration = "10m" }
local web = service "web" {}
local a = gateway "a" { limit = "5/s" }
local b = gateway "b" { to = web, limit = 500 }
local c = gateway "c" { to = web, burst = 5 }
local d = gateway "d" { to = web, limit = "0/s" }
local e = gateway "e" { to = web, limit = "5/s", burst = 0 }
local f = gateway "f" { to = web, limit = "5/s", algorithm = "leaky" }
local g = gateway "g" { to = web, waf = { blocked = 2 } }
local h = gateway "h" { to = web, cache = { hit_ratio = "90%", ttl = "5s" } }
local i = gateway "i" { to = web, cache = { entries = 20000000 } }
local j = gateway "j" { to = web, limit = "5/s", limit_status = 600 }
local k = gateway "k" { to = web, cache = "90%" }
local l = gateway "l" { to = web, limit = "5/s", delay = 2 }
local m = gateway "m" { to = web, limit = "5/s", burst = 5, delay = 6, algorithm = "leaky_bucket" }
local n = gateway "n" { to = web, delay = 0 }
expect "it hits" { at_end = k.hits:above(5) }
