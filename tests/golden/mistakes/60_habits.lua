-- What people bring along from Kubernetes, Chaos Mesh, YAML and dashboards.
scenario "Habits from elsewhere" { duration = "1m" }
local db = database "db" { query_time = "2ms" }
local web = service "web" { service_time = dist.constant { value = "5ms" }, calls = { db } }
local api = service "api" { cpu = "500m", replicas = "3", queue = 10, timeout = "1s" }
local cart = service "cart" { calls = { web = { retries = 3 } } }
traffic "users" { to = "web", rate = "10/s" }
fault.pod_kill { web, at = "5s" }
fault.kill { selector = { app = "web" }, mode = "one", schedule = "@every 5m" }
fault.latency { "api", web, latency = "100ms", jitter = "10ms", duration = "30s", at = "5s" }
fault.loss { cart, api, ratio = "5", at = "10s" }
alert "Burning" { when = db.errors.ratio:above "1%", ["for"] = "1m" }
expect { always = api.availability:above "99%" }
expect "ids are single" { unique_ids = api, generates = {} }
check("x" .. ("y"):rep(200), function() return true end)
