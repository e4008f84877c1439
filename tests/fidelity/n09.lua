-- N09: DNS failover by TTL. A record changes, resolvers had asked at any time within the TTL T
-- before and ask again when it has run out: the share that still has the old address falls as
-- 1 - t/T. The old address refuses at once, so a user's success is having the new one. What health
-- checks add to it is in tests/unit/test_dns.c.
-- Source: RFC 1035, section 3.2.1 (TTL). A window is as long as a second, and counts by its
-- middle.
--
-- A resolver asks with the first request after its answer has run out, here half a second later on
-- average (g): exactly, the share is (T - t) / (T + g), 0.8 % less. `slack` is four standard
-- errors of 40,000 requests to 20,000 resolvers, and that.
local ttl, gap = 60, 20000 / 40000

scenario "A name's old answer is used for as long as its TTL" { duration = "80s" }

local old = service "old" { replicas = 1, concurrency = 1000, service_time = "0s" }
local new = service "new" { replicas = 1, concurrency = 1000, service_time = "0s" }
local name = dns "name" {
  answers = { old, new }, ttl = ttl .. "s", resolvers = { count = 20000 },
  health = { every = "1ms", fails = 1, passes = 1 },
}
local users = traffic "users" { to = name, rate = "40k/s", timeout = "1h", beside = true }
fault.kill { old, at = "10s" }

for _, t in ipairs { 6, 15, 30, 45, 54 } do
  local old_share = 1 - (t + 0.5) / ttl
  local slack = 4 * math.sqrt(old_share * (1 - old_share) * (1 / 40000 + 1 / 20000))
      + gap / ttl * old_share
  expect(("after %d of 60 s that share has the old one"):format(t)) {
    always = users.errors.ratio:between(old_share - slack, old_share + slack),
    during = { after = (10 + t) .. "s", lasting = "1s" },
  }
end
expect "nobody has the old one when it is over" {
  always = users.errors.ratio:equals "0%",
  during = { after = (10 + ttl + 1) .. "s", lasting = "9s" },
}
