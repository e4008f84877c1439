-- A registry that is down: whoever needs an image it has not tries after 10, 20, 40, 80, 160 and
-- 300 s (kubernetes.io, "Images"); where one has run nothing is asked, unless always.
scenario "Images are where they have run" { duration = "30m" }

local eu = region "eu" { zones = { "a", "b" } }
local function tier(name, image) return service(name) { spread = eu, replicas = 2, image = image,
  startup = "5s" } end
local moved   = tier("moved")
local kept    = tier("kept")
local asking  = tier("asking", { pull_policy = "always" })
local pinned  = tier("pinned", { pull_policy = "never" })
local heavy   = tier("heavy", { pull_time = "30s" })
for _, s in ipairs { moved, kept, asking, pinned, heavy } do
  traffic("of " .. tostring(s)) { to = s, rate = "1/s", timeout = "1s" }
end

-- Attempts of `moved` come at 61, 71, 91, 131, 211, 371, 671 s: the outage is over at 400 s.
local outage = fault.registry_outage { eu, at = "30s", lasting = "370s" }
fault.evict { moved.replica[1], notice = "1s", at = "60s" }
fault.kill { kept.replica[1], at = "60s", lasting = "5s" }
fault.kill { asking.replica[1], at = "60s", lasting = "5s" }
fault.evict { pinned.replica[1], notice = "1s", at = "60s" }
-- When the registry is there again a pull takes 30 s, and starting 5 s more.
fault.evict { heavy.replica[1], notice = "1s", at = "20m" }

expect "one that moves waits for its next attempt, not for the registry" {
  never = moved.replicas.ready:above(1), during = { after = "63s", lasting = "600s" },
}
expect "and is there after that" {
  eventually = moved.replicas.ready:equals(2), after = "660s", within = "20s", holding = "5m",
}
expect "one that comes back where it was needs no registry" {
  eventually = kept.replicas.ready:equals(2), after = "65s", within = "6s", holding = "5m",
}
expect "unless it always asks" {
  never = asking.replicas.ready:above(1), during = { after = "66s", lasting = "300s" },
}
expect "and who never pulls never starts elsewhere" {
  never = pinned.replicas.ready:above(1), during = { after = "63s", lasting = "25m" },
}
expect "a pull takes its time" {
  never = heavy.replicas.ready:above(1), during = { after = "1202s", lasting = "32s" },
}
expect "and no more" {
  eventually = heavy.replicas.ready:equals(2), after = "1234s", within = "4s", holding = "1m",
}
assert(outage)
