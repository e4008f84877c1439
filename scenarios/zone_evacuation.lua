-- Three zones, each at 70 % of what it can do. When one is lost the other two get half as much
-- again: 105 %, more than there is, and a queue that never empties. With spare capacity for the
-- loss of a zone, half as many replicas more, two zones carry what three did.
--
-- Numbers to reproduce: 0.70 * 3 / 2 = 1.05 without spare capacity, 0.47 * 3 / 2 = 0.70 with it.
local spare = param("spare", { false, true })

scenario "The loss of one of three zones is not noticed" {
  about = "Three zones at 70 %: losing one leaves two at 105 %. AWS, \"Static stability using "
    .. "Availability Zones\" (Builders' Library), and the evacuations of us-east-1's use1-az4 "
    .. "on 2021-12-22.",
  tags     = { "zone-loss", "capacity" },
  duration = "6m",
  warmup   = "30s",
  xfail    = { spare = false },
}

local eu = region "eu-west-1" { zones = { "a", "b", "c" } }

-- A replica does 100 requests a second, six of them 600; 420 are asked for.
local web = service "web" {
  replicas = spare and 9 or 6, spread = eu, cpu = 1, concurrency = 100,
  queue = { max = 100 }, service_time = dist.exponential { mean = "10ms" },
}

local lb = balancer "lb" { to = web, replicas = 2, spread = eu, policy = "least_requests",
  timeout = "1s" }

local users = traffic "users" { to = lb, rate = "420/s", timeout = "2s" }

local outage = fault.down { eu.zone.b, at = "2m", lasting = "2m" }

expect "it recovers within 15 s of the loss" {
  eventually = users.success.ratio:above "99.9%",
  after = outage, within = "15s", holding = "60s",
}

expect "what is left is not overloaded" {
  always = web.latency.p99:below "500ms", over = "10s",
  except = { after = outage, lasting = "15s" },
}
