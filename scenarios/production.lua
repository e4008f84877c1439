scenario "A production stack in us-east-1 survives the loss of a zone at peak" {
  about    = "Load balancer on 8080, an app tier over three zones, PostgreSQL with two replicas.",
  tags     = { "production", "zone-loss", "tier-1" },
  duration = "10m",
  warmup   = "1m",
}

-- topology ------------------------------------------------------------------
local east = region "us-east-1" { zones = { "a", "b", "c" } }

local db = database "orders" {
  engine          = "postgres",
  nodes           = 3,                        -- primary in zone a, replicas in b and c
  spread          = east,
  replication     = "sync",
  query_time      = dist.lognormal { p50 = "2ms", p99 = "15ms" },
  max_connections = 400,
  failover        = { detect = "5s", promote = "4s" },
}

local app = service "app" {
  replicas     = 9,                           -- three in each zone
  spread       = east,
  cpu          = 2,
  concurrency  = 32,
  service_time = dist.lognormal { p50 = "5ms", p99 = "30ms" },
  cpu_time     = "3ms",
  calls = {
    call { db, "select cart", timeout = "500ms", retries = 2, backoff = "20ms" },
    call { db, "insert order", timeout = "800ms", retries = 2, backoff = "50ms",
        retry_budget = "20%" },
  },
}

local lb = balancer "lb" {
  listen   = 8080,
  to       = app,
  policy   = "least_requests",
  health   = { every = "2s", fails = 3, passes = 2 },
  replicas = 3,                               -- one in each zone
  spread   = east,
  timeout  = "2s",
}

local users = traffic "users" { to = lb, rate = "600/s", arrivals = "poisson", timeout = "3s" }

-- what breaks ---------------------------------------------------------------
fault.latency { link(app, db), add = dist.lognormal { p50 = "4ms", p99 = "12ms" }, at = "2m",
    lasting = "1m" }
fault.cpu { app.replica[2], load = "90%", at = "3m30s", lasting = "45s" }
local outage = fault.down { east.zone.a, at = "5m", lasting = "3m" }  -- the primary is in zone a

-- what must hold ------------------------------------------------------------
expect "p99 stays under 250 ms outside the zone loss" {
  always = users.latency.p99:below "250ms",
  except = { after = outage, lasting = "30s" },
}

expect "users are served again within 30 s of losing the zone" {
  eventually = users.success.ratio:at_least "99.9%",
  after = outage, within = "30s", holding = "1m",
}

expect "no acknowledged order is ever lost" {
  always  = db.lost_acks:equals(0),
  because = "sync replication is what the business pays for",
}

expect "a replica takes over" {
  sometimes = db.failovers:at_least(1),
}

expect "the surviving zones carry the load without shedding" {
  never  = app.shed.ratio:above "1%",
  during = { after = outage, lasting = "3m" },
}

expect "the zone comes back into service" {
  at_end = app.replicas.ready:equals(9),
}

-- a zone loss may cost ten seconds of a ten-minute run, which is 1.7 %
slo "order availability" { of = users, objective = "97%", over = "10m" }
