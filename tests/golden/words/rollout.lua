-- Rollouts, budgets and versions that cannot be.
scenario "x" { duration = "10m" }
local a = service "a" { rollout = { max_surge = 0, max_unavailable = "0%" } }
local b = service "b" { rollout = { strategy = "recreate", max_surge = 1 } }
local c = service "c" { rollout = { max_surge = -1, max_unavailable = "101%" } }
local d = service "d" { rollout = { max_unavailable = "101%", strategy = "blue" } }
local e = service "e" { disruption_budget = { min_available = 1, max_unavailable = 1 } }
local f = service "f" { disruption_budget = {} }
local g = service "g" { disruption_budget = { min_available = "150%" } }
local h = service "h" { disruption_budget = { min_available = 0.5 } }
local i = service "i" { versions = { v2 = { fails = "image" } } }
local j = service "j" { rollout = {}, versions = { v2 = { fails = "readiness" } } }
local k = service "k" { rollout = { min_ready = "10m" } }
local l = service "l" { rollout = {}, versions = { v1 = {} } }
l:deploy "v1"
expect "a is deployed" { always = i.stalled }
