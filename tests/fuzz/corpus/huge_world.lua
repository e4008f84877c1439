scenario "x" { duration = "1m" }
local web = service "web" { replicas = 60000, concurrency = 60000, queue = { max = 4294967294 } }
for i = 1, 200 do service("s" .. i) { replicas = 1000, calls = { call { web } } } end
traffic "t" { to = web, rate = "1/s" }
