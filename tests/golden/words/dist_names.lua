-- Parameters of distributions have names; the mark is where the mistake is, whatever stands below.
scenario "Positions" { duration = "1m" }
local web = service "web" { service_time = dist.uniform { "1ms", "2ms" } }
local later = { a = 1, b = 1 }
