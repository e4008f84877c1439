-- What rules write, and `up`: of processes that die, stand still, come and go; of samples that are
-- lost; and of what cannot be evaluated.
scenario "Rules read what rules record" { duration = "30m", warmup = "1m" }

local api = service "api" { replicas = 3, service_time = "2ms" }
local pods = service "pods" {
    replicas = 2, service_time = "40ms", cpu = 1,
    autoscale = { min = 2, max = 5, target_cpu = "50%" },
}
local users = traffic "users" { to = api, rate = "20/s" }
local crowd = traffic "crowd" {
    to = pods, rate = shape.steps { { "0s", "5/s" }, { "10m", "80/s" } },
}

-- Behind what reads it, which is evaluated before it then.
local late = rule "lag" { record = "api:seen:copy", expr = "api:up:sum" }
local up = rule "api:up:sum" { expr = 'sum(up{component="api"})', labels = { team = "shop" } }
local seen = rule "api:seen:count" { expr = 'count(up{component="api"})' }
local there = rule "pods:there:count" { expr = 'count(up{component="pods"})', every = "30s" }
local users_up = rule "users:up" { expr = 'up{component="users"}' }
local wrong = rule "api:wrong" { expr = 'up{component="api"}', labels = { instance = "all" } }

local down = alert "TargetDown" { expr = "up == 0", pending = "1m", labels = { severity = "page" } }
local some = alert "SomebodyIsPaged" { expr = 'count(ALERTS{alertstate="firing", severity="page"})' }
local fewer = alert "Fewer" { expr = 'api:up:sum{team="shop"} < 3', every = "5s" }
local unsure = alert "Unsure" { expr = "api:wrong > 0" }

fault.kill { api.replica[1], at = "4m", lasting = "3m" }
fault.pause { api.replica[2], at = "5m", lasting = "1m" }
fault.monitoring_loss { api, at = "20m", lasting = "2m" }

expect "all are up" { always = up.value:equals(3), during = { after = "2m", lasting = "2m" } }
expect "one is dead" { eventually = up.value:equals(2), after = "4m", within = "30s" }
expect "and one stands still" { eventually = up.value:equals(1), after = "5m", within = "30s" }
expect "then they are back" { eventually = up.value:equals(3), after = "7m", within = "30s" }
expect "one is down for a minute" { eventually = down.fired, after = "4m", within = "90s" }
expect "which others see" { eventually = some.fired, after = "4m", within = "2m" }
expect "another group sees it in its own time" {
    eventually = fewer.fired, after = "4m", within = "40s",
}
expect "who is lost is down, and no less a target" {
    eventually = up.value:equals(0), after = "20m", within = "30s",
}
expect "all the time there are three" { always = seen.value:equals(3) }
expect "users are no process" { always = users_up.value:equals(1) }
expect "two pods at first" { always = there.value:equals(2), during = { after = "2m", lasting = "8m" } }
expect "five in the end" { at_end = there.value:equals(5) }
expect "what reads it is as it was" { eventually = late.value:equals(2), after = "4m", within = "1m" }
expect "what rests on a rule that fails is nothing" { never = unsure.firing:above(0) }
expect "and so is the rule" { never = wrong.value:above(0) }
