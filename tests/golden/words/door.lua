-- Faults at the door that cannot be.
scenario "Door" { duration = "10m" }
local web = service "web" {}
local gate = balancer "gate" { to = web }
local db = database "db" {}
local name = dns "name" { answers = { web } }
fault.http_delay { web, at = "1m" }
fault.http_delay { web, at = "1m", add = 300 }
fault.http_abort { web, at = "1m", ratio = 2 }
fault.http_abort { web, at = "1m", status = "teapot" }
fault.http_abort { web, at = "1m", path = 5 }
fault.http_replace { web, at = "1m", first = -1 }
fault.rpc_status { web, at = "1m" }
fault.rpc_status { web, at = "1m", code = "UNAVAILIBLE" }
fault.throttle { web, at = "1m" }
fault.throttle { web, at = "1m", rate = 10 }
fault.waf_false_positive { db, at = "1m", ratio = "1%" }
fault.waf_false_positive { gate, at = "1m" }
fault.http_reset { web, at = "1m", side = "response" }
fault.http_reset { web, at = "1m", code = 500 }
fault.reset { web, at = "1m", path = "/pay" }
fault.http_reset { web, at = "1m", port = 0 }
