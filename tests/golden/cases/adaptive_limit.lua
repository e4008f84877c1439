-- Four cores shared by whoever is there, 10 ms of work: 400/s is all they can do, and 800/s come. With
-- a limit that is learnt, Vegas' queue of 3 to 6 beside the four that are worked on, what is
-- answered is answered soon; without, everybody waits for everybody.
scenario "A limit that is learnt keeps answers quick" { duration = "1m", warmup = "10s" }

local function tier(name, more)
  more.cpu, more.concurrency, more.service_time = 4, 2000, "10ms"
  return service(name) (more)
end
local open  = tier("open", {})
local wise  = tier("wise", { adaptive_limit = {} })
local small = tier("small", { adaptive_limit = { initial = 2, max = 3 } })
local calm  = tier("calm", { adaptive_limit = {} })
local users = {}
for _, s in ipairs { open, wise, small, calm } do
  users[s] = traffic("users of " .. tostring(s)) {
    to = s, rate = s == calm and "200/s" or "800/s", timeout = "500ms", beside = true,
  }
end
expect "without it nobody is answered in time" { at_end = users[open].success.ratio:below "5%" }
expect "with it half are, as the cores allow" { at_end = users[wise].success.ratio:between("45%", "52%") }
-- 7 to 10 at a time take up to 25 ms each; a probe, which forgets the shortest time while others
-- are there, lets the limit drift above that for a while.
expect "and soon" { at_end = wise.latency.p90:between("15ms", "40ms") }
expect "max is the most" { never = small.in_flight:above(4) }
expect "where nothing queues nobody is refused" { at_end = calm.shed.ratio:below "1%" }
