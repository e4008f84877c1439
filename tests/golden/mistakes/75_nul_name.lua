scenario "two names that are one" { duration = "10s" }
local a = service "w\0a" { replicas = 1 }
local b = service "w\0b" { replicas = 1 }
traffic "u" { to = a, rate = "10/s" }
expect "x" { at_end = b.success.ratio:above "1%" }
