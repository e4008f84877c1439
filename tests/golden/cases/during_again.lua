-- A fault that comes again and again is a window each time, for during and for except: with the first
-- alone neither would see that a pod is gone in the third.
scenario "Pods are deleted for two minutes" { duration = "3m", warmup = "20s" }
local nginx = service "nginx" { replicas = 3, startup = "3s", readiness = { period = "1s" } }
local users = traffic "users" { to = nginx, rate = "50/s", timeout = "1s" }
local chaos = fault.kill { nginx, pick = "33%", at = "1m", every = "20s", lasting = "10s" }

expect "some are lost then" { always = users.success.ratio:above "99.9%", during = chaos }
expect "and only then" { always = users.success.ratio:equals "100%", except = chaos }
