-- X05, fixed TTL: one cache, one name, Poisson requests. A time to live begins with a miss, so of
-- the 1 + lambda T requests of a cycle one misses: the hit ratio is lambda T / (1 + lambda T).
-- Source: Jung, Berger, Balakrishnan, "Modeling TTL-based Internet caches" (INFOCOM 2003).
-- `slack` is the published tolerance, 0.003.
local load = param("lambda_T", { 0.1, 1, 5, 10, 60, 100 })
local want = ({ [0.1] = 0.090909, [1] = 0.5, [5] = 0.83333, [10] = 0.90909, [60] = 0.98361,
  [100] = 0.9901 })[load]

scenario "A cache with a TTL hits as often as it must" { duration = (4e5 / (load * 100)) .. "s" }

local web = service "web" { concurrency = 1000, service_time = "0s" }
local name = dns "name" { answers = { web }, ttl = "10ms", resolvers = { count = 1 } }
traffic "users" { to = name, rate = (load * 100) .. "/s", timeout = "1h", beside = true }

expect "the hit ratio is lambda T of 1 + lambda T" {
  at_end = name.hit_ratio:between(want - 0.003, want + 0.003),
}
