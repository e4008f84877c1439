-- Lists that are none: what has a name, or stands behind a hole, is not dropped without a word.
scenario "lists" { duration = "20s" }
local db = service "db" { service_time = "1ms" }
local web = service "web" {
  service_time = "5ms",
  calls = { call { db, retries = 2, retry_on = { "timeout", status = 503 }, timeout = "1s" } },
}
local users = traffic "users" { to = web, rate = "50/s", timeout = "1s" }
local once = fault.latency { web, add = "500ms", at = "5s", lasting = "5s" }
local ever = fault.kill { web, at = "12s" }
local few = users.errors.ratio:below "10%"
expect "a name" { always = few, during = { { after = "1s" }, late = { after = "8s" } } }
expect "a hole" { always = few, during = { { after = "1s" }, nil, { after = "8s" } } }
expect "a fault among windows" { always = few, during = { once, { after = "15s" } } }
expect "one without an end" { always = few, during = { once, ever } }
local quick = users.latency.p50 < 5
expect "this is a mistake of its own" { always = true }
