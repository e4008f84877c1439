scenario "x" { duration = "5m" }
local web = service "web" { replicas = 2 }
// what users see
expect "fast" { always = web.latency.p99:below "300ms" }
