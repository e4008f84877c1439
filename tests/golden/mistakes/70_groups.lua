scenario "x" { duration = "5m" }
local shop = require "shop"
local web = service "web" { replicas = 2 }
expect "fast" { always = web.latency:below "300ms" }
expect "right" { always = web.errors:below "1%" }
