-- A process that starts serves nobody yet, and one that is dead on a host that is back never will:
-- the kubelet says so, however it came to be.
local how = param("how", { "down", "kill", "both" })
scenario "starting" { duration = "4m" }
local eu = region "eu" { zones = { "a", "b", "c" }, node_lifecycle = {} }
local api = service "api" { replicas = 3, spread = eu, service_time = "1ms", startup = "60s" }
local users = traffic "users" { to = api, rate = "60/s", arrivals = "constant", timeout = "100ms",
    health = { by = "endpoints" } }
if how ~= "kill" then fault.down { api.replica[2], at = "60s", lasting = "20s" } end
if how ~= "down" then fault.kill { api.replica[2], at = "70s", lasting = "60s" } end
expect "two go on" { always = users.errors.ratio:equals(0),
    during = { after = "81s", lasting = "150s" } }
