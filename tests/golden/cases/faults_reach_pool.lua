scenario "A pool that is not there cannot be taken" { duration = "10s" }
local mail = service "mail" {}
local web = service "web" { calls = { call { mail } } }
traffic "users" { to = web, rate = "10/s" }
fault.connection_exhaustion { web, mail, at = "1s" }
