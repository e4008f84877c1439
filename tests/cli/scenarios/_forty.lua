scenario "Orders get through while machines come and go" {
  about    = "Forty small faults. The queue of api overflows when three of them fall together.",
  tags     = { "planted" },
  duration = "4m",
}

local api = service "api" {
  replicas = 4, concurrency = 2, queue = { max = 8 }, service_time = "10ms" }
local web = service "web" { replicas = 2, concurrency = 64, service_time = "1ms",
  calls = { call { api, "POST /order", timeout = "1s" } } }
traffic "shoppers" { to = web, rate = "235/s" }

local side1 = service "side1" { service_time = "1ms" }
traffic "users1" { to = side1, rate = "5/s" }
local side2 = service "side2" { service_time = "1ms" }
traffic "users2" { to = side2, rate = "5/s" }
local side3 = service "side3" { service_time = "1ms" }
traffic "users3" { to = side3, rate = "5/s" }
local side4 = service "side4" { service_time = "1ms" }
traffic "users4" { to = side4, rate = "5/s" }
local side5 = service "side5" { service_time = "1ms" }
traffic "users5" { to = side5, rate = "5/s" }
local side6 = service "side6" { service_time = "1ms" }
traffic "users6" { to = side6, rate = "5/s" }
local side7 = service "side7" { service_time = "1ms" }
traffic "users7" { to = side7, rate = "5/s" }
local side8 = service "side8" { service_time = "1ms" }
traffic "users8" { to = side8, rate = "5/s" }
local side9 = service "side9" { service_time = "1ms" }
traffic "users9" { to = side9, rate = "5/s" }
local side10 = service "side10" { service_time = "1ms" }
traffic "users10" { to = side10, rate = "5/s" }
local side11 = service "side11" { service_time = "1ms" }
traffic "users11" { to = side11, rate = "5/s" }
local side12 = service "side12" { service_time = "1ms" }
traffic "users12" { to = side12, rate = "5/s" }
local side13 = service "side13" { service_time = "1ms" }
traffic "users13" { to = side13, rate = "5/s" }
local side14 = service "side14" { service_time = "1ms" }
traffic "users14" { to = side14, rate = "5/s" }
local side15 = service "side15" { service_time = "1ms" }
traffic "users15" { to = side15, rate = "5/s" }
local side16 = service "side16" { service_time = "1ms" }
traffic "users16" { to = side16, rate = "5/s" }
local side17 = service "side17" { service_time = "1ms" }
traffic "users17" { to = side17, rate = "5/s" }
local side18 = service "side18" { service_time = "1ms" }
traffic "users18" { to = side18, rate = "5/s" }
local side19 = service "side19" { service_time = "1ms" }
traffic "users19" { to = side19, rate = "5/s" }
local side20 = service "side20" { service_time = "1ms" }
traffic "users20" { to = side20, rate = "5/s" }

fault.degrade { side1, factor = 3, at = "15s", lasting = "20s" }
fault.degrade { side2, factor = 3, at = "20s", lasting = "20s" }
fault.degrade { side3, factor = 3, at = "25s", lasting = "20s" }
fault.degrade { side4, factor = 3, at = "30s", lasting = "20s" }
fault.degrade { side5, factor = 3, at = "35s", lasting = "20s" }
fault.degrade { side6, factor = 3, at = "40s", lasting = "20s" }
fault.degrade { side7, factor = 3, at = "45s", lasting = "20s" }
fault.degrade { side8, factor = 3, at = "50s", lasting = "20s" }
fault.degrade { side9, factor = 3, at = "55s", lasting = "20s" }
fault.kill { api, pick = 1, at = "60s" }
fault.degrade { side10, factor = 3, at = "60s", lasting = "20s" }
fault.degrade { side11, factor = 3, at = "65s", lasting = "20s" }
fault.degrade { side12, factor = 3, at = "70s", lasting = "20s" }
fault.degrade { side13, factor = 3, at = "75s", lasting = "20s" }
fault.degrade { side14, factor = 3, at = "80s", lasting = "20s" }
fault.degrade { side15, factor = 3, at = "85s", lasting = "20s" }
fault.degrade { side16, factor = 3, at = "90s", lasting = "20s" }
fault.degrade { side17, factor = 3, at = "95s", lasting = "20s" }
fault.degrade { side18, factor = 3, at = "100s", lasting = "20s" }
fault.degrade { side19, factor = 3, at = "105s", lasting = "20s" }
fault.degrade { side20, factor = 3, at = "110s", lasting = "20s" }
fault.degrade { api, factor = 1.7, at = "50s", lasting = "40s" }
fault.degrade { side1, factor = 3, at = "115s", lasting = "20s" }
fault.degrade { side2, factor = 3, at = "120s", lasting = "20s" }
fault.degrade { side3, factor = 3, at = "125s", lasting = "20s" }
fault.degrade { side4, factor = 3, at = "130s", lasting = "20s" }
fault.degrade { side5, factor = 3, at = "135s", lasting = "20s" }
fault.degrade { side6, factor = 3, at = "140s", lasting = "20s" }
fault.degrade { side7, factor = 3, at = "145s", lasting = "20s" }
fault.degrade { side8, factor = 3, at = "150s", lasting = "20s" }
fault.degrade { side9, factor = 3, at = "155s", lasting = "20s" }
fault.degrade { side10, factor = 3, at = "160s", lasting = "20s" }
fault.degrade { side11, factor = 3, at = "165s", lasting = "20s" }
fault.degrade { api, factor = 1.7, at = "57s", lasting = "40s" }
fault.degrade { side12, factor = 3, at = "170s", lasting = "20s" }
fault.degrade { side13, factor = 3, at = "175s", lasting = "20s" }
fault.degrade { side14, factor = 3, at = "180s", lasting = "20s" }
fault.degrade { side15, factor = 3, at = "185s", lasting = "20s" }
fault.degrade { side16, factor = 3, at = "190s", lasting = "20s" }
fault.degrade { side17, factor = 3, at = "195s", lasting = "20s" }

expect "orders are answered" { always = web.errors.ratio:below "20%" }
expect "the sides are fine" { always = side1.latency.p99:below "1s" }

