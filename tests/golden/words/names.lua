-- Names that cannot be.
scenario "Names" { duration = "10m" }
local web = service "web" {}
local api = service "api" {}
local db = database "db" {}
local a = dns "a" { ttl = "30s" }
local b = dns "b" { answers = web }
local c = dns "c" { answers = { web, db } }
local d = dns "d" { answers = { web, web } }
local e = dns "e" { answers = { web, api }, weights = { 1, 2 } }
local f = dns "f" { answers = { web, api }, policy = "weighted", weights = { 1 } }
local g = dns "g" { answers = { web, api }, policy = "weighted", weights = { 1, -2 } }
local h = dns "h" { answers = { web }, ttl = "5m", resolvers = { stale_at_most = "1m" } }
local i = dns "i" { answers = { web }, resolvers = { honour_ttl = 85 } }
local j = dns "j" { answers = { web }, resolvers = { count = 0 } }
local k = dns "k" { answers = { web }, resolvers = { count = 2000000 } }
local l = dns "l" { answers = { web }, policy = "latency" }
local m = dns "m" { answers = { web }, ttl = "-5s" }
local n = dns "n" { answers = { web }, health = { interval = "10s" } }
fault.dns { web, answer = "nxdomain", at = "1m" }
fault.dns { n, answer = "refused", at = "1m" }
fault.dns { n, at = "1m", delay = 3 }
expect "it flips" { at_end = n.flip:at_most(2) }
