-- An anycast address is looked up by nobody.
scenario "A name that is an address" { duration = "2m" }
local web = service "web" {}
local edge = dns "edge" { policy = "anycast", answers = { web } }
traffic "users" { to = edge, rate = "10/s" }
fault.dns { edge, answer = "timeout", at = "1m", lasting = "10s" }
