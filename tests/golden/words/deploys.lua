-- What can be wrong with versions, and with faults that bring them out.
scenario "Wrong versions" { duration = "1m" }
local api = service "api" {
  versions = { v1 = {}, v2 = { error_ratio = "400%", service_time = 3 }, v3 = 7 }, version = "v9",
}
local web = service "web" { versions = { v1 = { eror_ratio = "4%" } } }
local one = service "one" { versions = {} }
local two = service "two" { versions = { v1 = {} }, version = "v2" }
local ok  = service "ok" { versions = { v1 = {}, v2 = {} } }
traffic "users" { to = ok, rate = "1/s" }
expect "no such version" { always = ok:version("v3").share:below "5%" }
expect "no such metric" { always = ok:version("v2").queue.length:below(5) }
expect "acts" { always = ok:route { v2 = "5%" } }
fault.bad_deploy { ok, version = 2, at = "10s" }
fault.bad_deploy { ok, waves = 0.5, factor = 2, at = "10s" }
fault.config_push { ok, error_ratio = "101%", at = "10s" }
