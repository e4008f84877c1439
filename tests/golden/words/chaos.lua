-- What a chaos is told when it cannot be meant.
scenario "Wrong weather" { duration = "5m" }
local eu = region "eu" { zones = { "a", "b" } }
local web = service "web" { replicas = 4, spread = eu }
traffic "users" { to = web, rate = "10/s" }

chaos "nothing" {}
chaos "fixed" { fault.kill { web, at = "1m" } }
chaos "endless" { fault.kill { web, mtbf = "1m" } }
chaos "periodic" { fault.kill { web, mtbf = "1m", every = "1m", lasting = "1s" } }
chaos "both" { fault.kill { web, mtbf = "1m", at = "1m", lasting = "1s" } }
chaos "no fault" { web }
chaos "no budget" { fault.kill { web, mtbf = "1m", lasting = "1s" }, together = 0, zone = 2 }
local storm = fault.kill { web, mtbf = "1m", lasting = "1s" }
expect "it recovers" {
  eventually = web.errors.ratio:below "1%", after = storm, within = "10s",
}
