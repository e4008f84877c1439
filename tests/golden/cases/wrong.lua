scenario "Many mistakes at once" { duration = "5m" }
local web = service "web" { replica = 3, service_time = 5 }
local db = database "db" { nodes = 3, replication = "synch" }
fault.kill { db.primry, at = "1m" }
expect "quick" { always = web.latency.p9:below "300ms" }
