-- What holds an answer stands outside of the process that gave it: scaled down, or killed, meanwhile,
-- it is delivered all the same.
local ended = param("ended", { "scale", "kill" })
scenario "A held answer outlives its process" { duration = "30s", warmup = "2s" }
local api = service "api" {
  replicas = 2, service_time = "5ms", autoscale = { max = 4, by_hand = true },
}
local shop = service "shop" { concurrency = 1000, calls = { call { api, timeout = "8s" } } }
local users = traffic "users" { to = shop, rate = shape.steps { { "0s", "50/s" }, { "11s", "0/s" } },
                                timeout = "20s" }
fault.http_delay { api, side = "answer", add = "3s", at = "9s", lasting = "3s" }
if ended == "kill" then fault.kill { api, at = "12s", lasting = "1s" } end
if ended == "scale" then drive("operator", function() sleep "12s" api:scale(1) end) end
expect "all are answered" { always = users.errors.ratio:equals "0%" }
expect "late" { sometimes = users.latency.p99:above "3s" }
