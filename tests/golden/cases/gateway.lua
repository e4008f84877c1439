-- What a gateway refuses, looks at and answers by itself.
scenario "A gateway lets through what it should" { duration = "1m", warmup = "5s" }

local web = service "web" { replicas = 2, service_time = "5ms" }
local front = gateway "front" { to = web, replicas = 2, limit = "50/s", burst = 10 }
local nginx = gateway "nginx" { to = web, limit = "10/s", burst = 20, algorithm = "leaky_bucket",
    limit_status = 503 }
-- It lets in 10/s and holds ten more back for up to a second; what comes beyond is refused.
local leaky = gateway "leaky" { to = web, limit = "10/s", burst = 10, algorithm = "leaky_bucket",
    delay = 0 }
local guard = gateway "guard" { to = web, waf = { blocked = "10%", latency = "20ms" } }
local ratio = gateway "ratio" { to = web, cache = { hit_ratio = "80%" } }
local edge = gateway "edge" { to = web, cache = { ttl = "10s" } }

local many = traffic "many" { to = front, rate = "100/s", arrivals = "constant", timeout = "1s" }
traffic "more" { to = nginx, rate = "100/s", arrivals = "constant", timeout = "1s" }
local held = traffic "held" { to = leaky, rate = "12.5/s", arrivals = "constant", timeout = "2s" }
local some = traffic "some" { to = guard, rate = "100/s", timeout = "1s" }
traffic "readers" { to = ratio, rate = "100/s", timeout = "1s" }
traffic "keys" { to = edge, rate = "100/s", keys = dist.uniform { from = "0s", to = "1us" },
    timeout = "1s" }

local down = fault.kill { web, at = "40s", lasting = "10s" }
local calm = { after = down, lasting = "12s" }

expect "a bucket fills by its rate" { always = many.goodput:between("49/s", "51/s"), except = calm }
expect "what exceeds it is shed" { always = front.shed.ratio:between("49%", "51%"), except = calm }
expect "and counted" { at_end = front.limited:between(2900, 3000) }
expect "so does nginx's" { always = nginx.success.ratio:between("9%", "11%"), except = calm }
expect "one that holds back lets in as much" { always = leaky.success.ratio:between("79%", "81%"),
  over = "10s", except = calm }
expect "a second late, when it is full" { always = held.latency.max:between("950ms", "1050ms"),
  during = { after = "10s", lasting = "30s" } }
expect "and counts them" { at_end = leaky.held:between(590, 615) }
expect "a firewall blocks its share" { at_end = guard.blocked:between(530, 670) }
expect "and takes its time" { always = some.latency.p50:between("55ms", "58ms"), except = calm }
expect "a share is answered from here" { at_end = ratio.hit_ratio:between("78%", "82%") }
-- 1000 keys, each asked for once in ten seconds on average: lambda T is 1.
expect "keys are, as often as 1 of 1 + 1" { always = edge.hit_ratio:between("46%", "54%"),
  over = "15s", during = { after = "20s", lasting = "20s" } }
expect "which a dead origin does not change" { always = ratio.errors.ratio:below "40%" }
