scenario "x" { duration = "106751d", warmup = "0s", seeds = -1 }
local web = service "web" { replicas = 4294967294, concurrency = 0, cpu = 0/0, error_ratio = -0.0,
  service_time = dist.pareto { min = "1ns", alpha = 1e-300 } }
database "db" { nodes = 1e9, max_connections = math.huge, query_time = "146y" }
traffic "t" { to = web, rate = "1e300M/ns", keys = dist.zipf { n = 1e18, skew = 0 } }
link { web, web, latency = dist.empirical { { 2, "1s" }, { -1, "1s" } }, loss = 2 }
fault.cpu { web, load = 1e308, at = dur("1s") * -1e300, every = "1ns", lasting = "2ns" }
fault.kill { web, at = dur("1s") * (0 / 0), pick = 1e300 }
