-- The first colon is right.
scenario "A colon too many" { duration = "1m" }
local web = service "web" { service_time = "5ms", version = "v1", versions = { v1 = {}, v2 = {} } }
traffic "users" { to = web, rate = "10/s" }
local new = { web:version("v2"), always: web.latency }
