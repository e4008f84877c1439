scenario "x" { duration = "1m" }
_ENV["a%b("] = 1
_ENV[{}] = 2
_ENV[print] = 3
local x = _ENV[{}]
local y = fault[{}]
local z = dist[1]
region "r" { zones = { 1, {}, "a" } }.zone[{}] = 1
local q = service "s" { versions = { [1] = {}, [{}] = 2 } }
q:version({})
