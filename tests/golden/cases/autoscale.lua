-- The autoscaler must act: more replicas when the load comes, fewer when it goes, in time and
-- within its bounds; one that is off, or aims at what there is, does nothing.
scenario "Replicas follow the load" { duration = "12m", warmup = "1m" }

-- 100/s of 10 ms on one core is 100 % of it; 4 cores.
local function tier(name, scale)
  return service(name) { cpu = 4, concurrency = 64, service_time = "10ms", autoscale = scale,
    pre_stop = "1s" }              -- what is on its way when a replica has to go still finds it
end
local web   = tier("web", { max = 6, target_cpu = "50%", startup = "20s", cooldown = "60s" })
local calm  = tier("calm", { min = 2, max = 6, target_cpu = "50%", startup = "20s", cooldown = "60s" })
local short = tier("short", { max = 2, target_cpu = "50%", startup = "0s", cooldown = "0s" })
local fixed = tier("fixed")

-- 60 % of one replica's CPU until 3m, then 240 %, and 60 % again from 7m.
local RATE = shape.steps { { "0s", "240/s" }, { "3m", "960/s" }, { "7m", "240/s" } }
local users = {}
for _, s in ipairs { web, short, fixed } do
  users[s] = traffic("users of " .. tostring(s)) { to = s, rate = RATE, arrivals = "constant",
    timeout = "2s" }
end
traffic "calm users" { to = calm, rate = "400/s", arrivals = "constant" }

-- 60 % of one replica wants ceil(1 * 60/50) = 2; 240 % wants ceil(240/50) = 5 (with 2: at most 200 %
-- can be used, which asks for 4 first); 60 % with 5 is 12 % each and wants 2.
expect "two replicas carry the first load" {
  always = web.replicas.ready:equals(2), during = { after = "1m", lasting = "2m" },
}
expect "it goes up in time" {
  eventually = web.replicas.ready:at_least(5), after = "3m", within = "3m", holding = "1m",
}
expect "and not beyond what is needed" { never = web.replicas.ready:above(5) }
expect "the load is carried" {
  eventually = web.cpu:between("45%", "55%"), after = "3m", within = "3m", holding = "30s",
}
expect "nobody is refused while it shrinks" {
  always = users[web].success.ratio:equals "100%", during = { after = "6m" },
}
expect "it goes down again" {
  eventually = web.replicas.ready:equals(2), after = "7m", within = "2m", holding = "2m",
}
expect "what it decided is known" { at_end = web.replicas.desired:equals(2) }
expect "within the tolerance nothing happens" { always = calm.replicas.ready:equals(2) }
expect "max is the most" { never = short.replicas.up:above(2) }
expect "max is reached" { sometimes = short.replicas.up:equals(2) }
expect "without it replicas stay" { always = fixed.replicas.up:equals(1) }
expect "and the load is not carried" { sometimes = users[fixed].success.ratio:below "60%" }
