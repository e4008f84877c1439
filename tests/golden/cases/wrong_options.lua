-- The options of a fault that do not fit each other.
scenario "Options that do not fit each other" { duration = "10m" }
local web = service "web" { replicas = 3 }
traffic "users" { to = web, rate = "10/s" }
local which = param("which", { "ramp", "every", "overlap", "none", "size", "count" })
if which == "ramp" then
  fault.latency { web, add = "1ms", at = "1m", lasting = "10s", ramp = "20s" }
elseif which == "every" then
  fault.kill { web, at = "1m", every = "10s" }
elseif which == "overlap" then
  fault.kill { web, at = "1m", lasting = "10s", every = "10s" }
elseif which == "none" then
  fault.kill { web, at = "1m", pick = "0%" }
elseif which == "count" then
  fault.http_delay { web, add = "1ms", nth = 2, at = "1m", ramp = "10s" }
else
  fault.degrade { web, error_ratio = "0%", factor = 1e9, at = "1m", ramp = "10s" }
end
expect "answers come" { always = web.latency.p99:below "1s" }
