scenario "What does not stream" { duration = "10s" }

local far = service "origin" { replicas = 2 }
local web = service "web" {
  calls = { call { far, "GET /film", stream = true, hedge = { after = "10ms" } } },
}
local users = traffic "users" { to = web, rate = "1/s" }
expect "measured without" { always = users.first_byte.p99:below "1s" }
