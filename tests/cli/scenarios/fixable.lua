scenario "x" { duration: "5m", warmup = 10s }
local db = database "db" { nodes = 2 }
shop = servce "shop" { replica = 2 }
local web = service "web" {
  replicas = 3
  queue = { max = 5, policy = "fifi" },
  concurency = 64,
}
traffic "users" { to = web, rate = 400/s }
fault.latancy { web, add = "1ms", at = "1m" }
fault.slow { web, add = "1ms", at = "1m" }
fault.kill { bd.primry, at = "2m" }
