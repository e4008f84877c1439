-- The CPU's part of a time that is all there is.
scenario "More than all" { duration = "10s" }
local web = service "web" { cpu = 1, cpu_time = "6ms" }
local app = service "app" { service_time = "5ms", cpu_time = "5ms", calls = { call { web } },
  versions = { v2 = { cpu_time = "7ms" } } }
traffic "users" { to = app, rate = "10/s" }
expect "few errors" { always = app.errors.ratio:below "1%" }
