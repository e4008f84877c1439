-- Nothing, too much, and what would be ignored.
scenario "Bounds" { duration = "1e3s" }
param("many", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
param("more", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
param("even_more", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
param("too_many", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })
local leaf = service "leaf" { replicas = 1000000, cpu_period = "0s" }
local web = service "web" {
  rate_limit = { rate = "0/s" },
  memory = { limit = "9000000000GiB" },
  calls = {
    call { leaf, "get x", timeout = "0s", overall_timeout = "0s", retries = 1000000 },
    call { leaf, "get y", fan_out = 1000000, hedge = { after = "p100" } },
    call { leaf, "get z", hedge = { after = "p250" } },
  },
}
local users = traffic "users" { to = web, rate = "10/s", batch = 1000000, timeout = "80000d" }
link(users, web, { loss = "1%" })
link({ users, web, loss = "1%" }, { latency = "1ms" })
link { users, web, leaf, loss = "1%" }
fault.kill { web, at = "10s", every = "0s" }
fault.pause { web, at = "10s", lasting = "0s" }
fault.http_abort { web, at = "10s", first = 0, nth = 0 }
drive("odd", function() sleep(0 / 0) end)
expect "x" { always = users.errors.ratio:below(0 / 0) }
service "all" { error_ratio = 15 }
service "more than all" { error_ratio = "150%" }
