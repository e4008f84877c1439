-- Autoscalers that cannot follow anything, or by two rules at once.
scenario "Follow what" { duration = "10m" }
local FAST = { pods = 4, period = "15s" }
service "nothing" { autoscale = { max = 5 } }
service "both" { autoscale = { max = 5, target_cpu = "50%", cooldown = "60s", scale_down = {} } }
service "policy" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { FAST, { pods = 1, percent = "10%" } } } } }
service "neither" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { { period = "15s" } } } } }
service "many" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { FAST, FAST, FAST, FAST, FAST } } } }
service "percent" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { { percent = "-5%" } } } } }
service "word" { autoscale = { max = 5, target_cpu = "50%", scale_up = { select_policy = "most" } } }
service "named" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { { pods = 4 }, selct = "min" } } } }
service "times" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { FAST, { percent = 100 } } } } }
service "once" { autoscale = { max = 5, target_cpu = "50%",
  scale_up = { policies = { servce "a" { replicas = 3 }, FAST } } } }
