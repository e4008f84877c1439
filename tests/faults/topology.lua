-- Three systems of the same shape that share nothing: `busy` has users all the time, `idle` only
-- after the faults are over, and `near` has no fault. faults.c writes the faults below this text,
-- as `fault.kill { s.web.replica[1], at = "1s", lasting = "3s" }` with `s` for busy and for idle,
-- and compares runs with and without them.
--
-- What a fault needs that is not here yet belongs here: it then meets all others.
scenario "Faults come and go" { duration = "50s" }

local function side(name)
  local where = region(name) { zones = { "a", "b" } }
  local db = database(name .. "-db") {
    nodes = 2, spread = where, query_time = dist.exponential { mean = "2ms" },
    failover = { mode = "manual", detect = "100ms", promote = "100ms" },
    disk = { miss_ratio = "50%", checksums = true },
    backup = { full = "700ms", archive = "300ms", drill = "900ms" },
  }
  local box = host(name .. "-box") { zone = where.zone.a }
  local mail = service(name .. "-mail") { on = box, listen = 25, io = { reads = 0.5 } }
  local web = service(name .. "-web") {
    replicas = 3, spread = where, cpu = 1, concurrency = 16,
    memory = { limit = "300MiB", base = "100MiB" }, crash_backoff = { first = "1s", max = "1s" },
    service_time = dist.exponential { mean = "3ms" },
    versions = { next = { error_ratio = "50%" } },
    calls = {
      call { db, "select x", timeout = "300ms", retries = 1, backoff = "10ms" },
      call { mail, timeout = "300ms", pool = { max = 4, max_age = "200ms" } },
    },
  }
  local shop = dns(name .. "-shop") {
    answers = { web }, ttl = "1s", negative_ttl = "1s", resolvers = { count = 5 },
  }
  link { web, db, bandwidth = "1Mbit/s" }
  -- Its token is bad for two seconds of the clock of its host.
  local rack = host(name .. "-rack") { zone = where.zone.a }
  local token = service(name .. "-token") {
    on = rack,
    handle = { ["GET /"] = function()
      return now() > dur "4500ms" and now() < dur "6500ms" and 500 or 200
    end },
  }
  -- Its replicas come and go: busy for half a second, idle for half a second. Each asks for its
  -- image.
  local turn = 0
  local scaled = service(name .. "-scaled") {
    spread = where, cpu = 1, versions = { next = { error_ratio = "50%" } },
    image = { pull_policy = "always" },
    autoscale = {
      max = 3, target_cpu = "30%", startup = "100ms", cooldown = "100ms", period = "200ms",
    },
    handle = { ["GET /"] = function(req)
      turn = turn + 1
      if turn // 10 % 2 == 0 then req:work "30ms" end
      return 200
    end },
  }
  -- What it finds is not compared, only that it is answered.
  local redis = cache(name .. "-redis") { entries = 100, nodes = 2, spread = where }
  local shelf = service(name .. "-shelf") {
    handle = {
      ["GET /"] = function(req)
        local key = 1 + math.floor(req.key / 7) % 997
        local hit = req:call { redis, "get", key = key, timeout = "300ms" }
        if not hit.ok then req:call { redis, "set", key = key, timeout = "300ms" } end
        return 200
      end,
    },
  }
  -- Its own load is not compared: who was late to renew a token is so every time from then on. What
  -- wants the tokens is.
  local idp = service("busy-idp-of-" .. name) {}
  local vault = service(name .. "-vault") {
    auth = {
      issuer = idp, lifetime = "1s", renew = "200ms", holders = 10, refresh = "400ms",
      timeout = "300ms", retry = "200ms",
    },
  }
  -- Copies are 20 ms behind. Leaders that a loss of zone b moved would stay for
  -- minutes where they are.
  local kafka = broker(name .. "-kafka") {
    nodes = 3, spread = where.zone.a, disk_write = "20ms",
  }
  local orders = topic(name .. "-orders") { on = kafka, partitions = 3, replication = 2 }
  local readers = consumers(name .. "-readers") { of = orders, members = 2 }
  -- Whoever leads: any node answers a read in the same time.
  local etcd = consensus(name .. "-etcd") {
    nodes = 3, spread = where.zone.a, reads = "stale", heartbeat = "250ms", cpu = 1,
    disk = { latency = "1ms" }, memory = { limit = "300MiB", base = "100MiB" },
    crash_backoff = { first = "1s", max = "1s" },
  }
  local keeper = service(name .. "-keeper") {
    handle = {
      ["GET /"] = function(req)
        if name ~= "idle" then
          req:call { etcd, "put", key = req.key, timeout = "300ms" }
        end
        return req:call({ etcd, "get", key = req.key, timeout = "300ms" }).ok and 200 or 500
      end,
    },
  }
  local sentinels = cache(name .. "-sentinels") {
    entries = 100, nodes = 2, mode = "sentinel", spread = where.zone.a,
  }
  return {
    etcd = etcd, keeper = keeper, sentinels = sentinels,
    orders = orders, readers = readers, region = where, idp = idp, vault = vault, rack = rack,
    token = token, db = db, web = web, shop = shop, box = box,
    mail = mail, name = name, redis = redis, shelf = shelf, scaled = scaled,
  }
end

-- All of a system's users come at `rate`: nobody else may ask the idle one for anything.
local function users(s, rate)
  traffic(s.name .. "-writers") { to = s.db, op = "write x", rate = rate, timeout = "1s" }
  traffic(s.name .. "-counters") {
    to = s.db, op = "write y", rate = rate, timeout = "1s", keys = dist.zipf { n = 5, skew = 1 },
  }
  traffic(s.name .. "-buying") { to = s.orders, rate = rate, acks = "leader" }
  traffic(s.name .. "-readers-of-token") { to = s.token, rate = rate, timeout = "1s" }
  s.users = traffic(s.name .. "-users") { to = s.web, rate = rate, timeout = "1s" }
  traffic(s.name .. "-visitors") { to = s.web, rate = rate, timeout = "1s", fresh = "30%" }
  traffic(s.name .. "-holders") { to = s.vault, rate = rate, timeout = "1s" }
  traffic(s.name .. "-climbers") { to = s.scaled, rate = rate, timeout = "1s" }
  traffic(s.name .. "-lookers") { to = s.shelf, rate = rate, timeout = "1s" }
  traffic(s.name .. "-keepers") { to = s.keeper, rate = rate, timeout = "1s" }
  traffic(s.name .. "-buyers") { to = s.shop, rate = rate, timeout = "1s" }
end

-- Somebody deploys, when there is something to be seen.
local function operator(s)
  drive("operator-of-" .. s.name, function()
    local share = 0
    while now() < dur "36s" do
      if wait_until(s.scaled.rate:above "1/s", { timeout = "2s" }) then
        share = 10 - share
        s.scaled:route { next = share .. "%" }
      end
      sleep "1100ms"
    end
    s.scaled:route { next = "0%" }
  end)
end

local busy, idle, near = side "busy", side "idle", side "near"
users(busy, shape.steps { { "0s", "20/s" }, { "36s", "0/s" } })
users(near, "5/s")
operator(busy)
operator(idle)
-- The idle system's users come from 39 s on and open their connections again, to each replica
-- from each; their requests from 45 s on are compared. By then what its health checks learned
-- during the faults is forgotten.
users(idle, shape.steps { { "39s", "10/s" } })

expect "requests are answered" { sometimes = near.web.rate:above "1/s" }
