scenario "Too many: 100 %, of them" { duration = "5m" }
local web = service "web" { replica = 3, concurency = 64, service_time = 5, zzz = 1 }
local cafe = service "café" { replicas = "é", queue = { max = 5, polcy = "fifo" } }
traffic "users" { to = web, rate = 400, arrivals = "poison", timeout = "1 sec" }
fault.kil { web, at = "1m" }
fault.kill { web, at = "9m" }
expect "quick" { always = web.latency.p9:below "300ms" }
expect "well" { always = web.errors.ratio:below "1s", severity = "wran" }
