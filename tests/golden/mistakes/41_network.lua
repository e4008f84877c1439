-- What a network cannot be.
scenario "Networks that cannot be" { duration = "1m" }
local db = database "db" {}
local web = service "web" { tls = "1.1", calls = {
  call { db, "select x", size = 512, pool = { max = 0 } },
  call { db, "select y", tcp = { window = "1" , syn_retries = 0 }, response_size = "-1B" },
} }
local users = traffic "users" { to = web, rate = "10/s" }
link { web, db, loss = 1.5 }
link { web, db, loss = "150%", corrupt = -1, bandwidth = "fast", gap = 10 }
link { web, db, burst = { p = "1%", p13 = "1%" } }
link { web, db, burst = { r = "10%" } }
link { web, db, burst = { p = "1%", p32 = "2%" } }
link { web, db, latency = "3ms", jitter = "1ms" }
link { web, nowhere, latency = "3ms" }
link { web, 7, latency = "3ms" }
link { web, web, latency = "3ms" }
fault.partition { web, at = "10s", direction = "sideways" }
fault.loss { link(web, db), at = "10s", ratio = "101%" }
fault.latency { link(web, db), at = "10s", add = "-3ms" }
fault.bandwidth { link(web, db), at = "10s", rate = 10 }
fault.flap { link(web, db), at = "10s", up = "1s" }
fault.route_loss { web, at = "10s" }
expect "x" { always = link(web, db).loss:below "1%" }
