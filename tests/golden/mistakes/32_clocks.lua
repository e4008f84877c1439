scenario "Clocks and limits that cannot be" { duration = "10m" }
local rack = host "rack" { clock = { offset = 5, ppm = "fast" } }
local web = service "web" { on = rack, limits = { threads = 0, files = 10 } }
traffic "users" { to = web, rate = "10/s" }
fault.clock_skew { web, offset = 2, at = "1m" }
fault.clock_drift { web, at = "1m" }
fault.clock_step { web, offset = "-2", at = "1m" }
fault.thread_limit { web, limit = "few", at = "1m" }
fault.port_exhaustion { web, limit = -1, at = "1m" }
fault.drain { web, at = "1m" }
fault.spot_interruption { rack, capacity = "none", at = "1m" }
fault.reboot { rack, notice = "1", at = "1m" }
