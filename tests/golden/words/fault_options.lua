-- The options of all faults, where they cannot be.
scenario "Options that do not fit" { duration = "10m" }
local web = service "web" { replicas = 3 }
traffic "users" { to = web, rate = "10/s" }
fault.kill { web, at = "1m", ramp = "10s" }
fault.latency { web, add = "1ms", at = "1m", pick = "one" }
fault.latency { web, add = "1ms", at = "1m", ramp = "10" }
fault.kill { web, at = "1m", pick = 0 }
fault.kill { web, at = "1m", pick = "some" }
fault.kill { web, at = "1m", pick = "150%" }
