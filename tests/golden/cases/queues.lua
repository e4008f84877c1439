-- Who waits, who is served next and who is turned away: each policy does what it is for, and none
-- of it happens without it. All tiers have one worker for 10 ms: 100/s is all they can do.
scenario "Queues, shedding, limits and deadlines" { duration = "1m", warmup = "5s" }

local function tier(name, fields)
  fields.concurrency, fields.service_time = fields.concurrency or 1, fields.service_time or "10ms"
  return service(name) (fields)
end
local function users(s, rate, more)
  more = more or {}
  more.to, more.rate, more.arrivals, more.beside = s, rate, "constant", true
  more.timeout = more.timeout or "30s"
  return traffic("users of " .. tostring(s) .. " " .. (more.priority or "") )(more)
end

-- A standing queue of 100: fifo serves what waited a second, lifo what has just come.
local fifo  = tier("fifo",  { queue = { max = 100 } })
local lifo  = tier("lifo",  { queue = { max = 100, policy = "lifo" } })
local codel = tier("codel", { queue = { max = 100, policy = "codel" } })
local adapt = tier("adapt", { queue = { max = 100, policy = "adaptive_lifo" } })
for _, s in ipairs { fifo, lifo, codel, adapt } do users(s, "120/s") end

expect "fifo: everybody waits for all before him" {
  always = fifo.queue.wait.p50:between("900ms", "1100ms"), during = { after = "30s" },
}
expect "lifo: most do not wait" { always = lifo.queue.wait.p50:below "20ms", during = { after = "30s" } }
-- CoDel drops one after another until what is left is what can be served: the 20/s too many.
expect "codel: the wait comes down" {
  always = codel.queue.wait.p50:below "200ms", during = { after = "30s" },
}
expect "codel: no more than the excess is dropped" {
  at_end = codel.shed.ratio:between("14%", "18%"),
}
expect "adaptive lifo: nobody is served who has waited 100 ms" {
  at_end = adapt.queue.wait.max:at_most "100ms",
}
expect "adaptive lifo: the excess is turned away" { at_end = adapt.shed.ratio:between("15%", "18%") }

-- Shedding: by requests in flight, by the age of the queue, by the CPU.
local flying = tier("flying", { shed = { in_flight = 5 } })
local aged   = tier("aged",   { shed = { queue_age = "50ms" } })
local hot    = tier("hot",    { concurrency = 64, cpu = 1, shed = { cpu = "90%" } })
local cool   = tier("cool",   { concurrency = 64, cpu = 1, shed = { cpu = "90%" } })
for _, s in ipairs { flying, aged, hot } do users(s, "150/s") end
users(cool, "80/s")
-- The sixth is there for the instant in which it is turned away.
expect "five in flight are the most" { never = flying.in_flight:above(6) }
expect "who comes when five are there is turned away" { at_end = flying.shed.ratio:between("32%", "35%") }
expect "waits stay near the age allowed" { at_end = aged.queue.wait.max:below "90ms" }
expect "an old queue takes nobody" { at_end = aged.shed.ratio:between("32%", "35%") }
expect "a hot cpu turns away" { at_end = hot.shed.ratio:above "10%" }
expect "one that is not hot takes all" { at_end = cool.shed.ratio:equals(0) }

-- A token bucket: 50/s of 80/s; the burst is let through at once.
local limited = tier("limited", { concurrency = 64, rate_limit = { rate = "50/s", burst = 5 } })
users(limited, "80/s")
expect "the rate is the limit's" { always = limited.success.ratio:between("62%", "63%"), over = "10s" }

-- Priorities: what is less urgent waits, and goes when the queue is full.
local mixed = tier("mixed", { queue = { max = 10 } })
local first = users(mixed, "60/s", { priority = 0 })
local later = users(mixed, "60/s", { priority = 1 })
expect "the urgent are served" { at_end = first.success.ratio:equals "100%" }
expect "and soon" { at_end = first.latency.max:below "40ms" }
expect "the others share what is left" { at_end = later.success.ratio:between("64%", "69%") }
-- What a request asks of others has its priority.
local edge_tier = tier("edge", { concurrency = 64, service_time = "1ms",
  calls = { call { tier("behind", { queue = { max = 10 } }) } } })
local urgent = users(edge_tier, "60/s", { priority = 2 })
local lazy   = users(edge_tier, "60/s", { priority = 7 })
expect "priorities go with what is asked" { at_end = urgent.success.ratio:equals "100%" }
expect "and with who must go" { at_end = lazy.success.ratio:below "70%" }

-- Deadlines: work whose caller is gone is not begun, and time left is handed on.
local blind = tier("blind", { queue = { max = 1000 } })
local keen  = tier("keen",  { queue = { max = 1000 }, deadlines = "propagate" })
-- A burst of two seconds leaves two more of work that nobody waits for.
local bursts = shape.burst { base = "20/s", peak = "200/s", every = "10s", lasting = "2s" }
local too_late = users(blind, bursts, { timeout = "300ms" })
local in_time  = users(keen, bursts, { timeout = "300ms" })
local after_burst = {}
for i = 1, 4 do after_burst[i] = { after = 10 * i + 1 .. "s", lasting = "1s" } end
expect "without deadlines the dead work is done, and the living waits for it" {
  always = too_late.goodput:equals "0/s", during = after_burst,
}
expect "with them it is not begun" { always = in_time.goodput:equals "20/s", during = after_burst }
expect "which is no error of the service's own" {
  at_end = blind.shed.ratio:equals(0),
}
expect "but work it refused" { at_end = keen.shed.ratio:above "10%" }
