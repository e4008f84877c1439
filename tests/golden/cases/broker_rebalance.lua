-- Rebalances that come to an end: after one, all members have their share again, and keep it.
scenario "rebalances end" { duration = "144s" }

local eu = region "eu" {}

local function shares_out(name, group, members)
    expect(name .. " shares out its partitions") {
        eventually = group.members.assigned:equals(members), after = "60s", within = "60s",
        holding = "20s",
    }
end

-- Commits before each batch, and goes on while it rebalances: a commit of the generation before
-- says nothing of the membership. Not each moment meets one.
local kafka = broker "kafka" { nodes = 3, spread = eu }
local orders = topic "orders" { on = kafka, partitions = 3 }
traffic "shop" { to = orders, rate = "82/s", keys = dist.zipf { n = 42, skew = 1 } }
for i = 1, 12 do
    local name = "ahead" .. i
    local ahead = consumers(name) { of = orders, members = 2, session = "7032ms",
        protocol = "cooperative", commit = { delivery = "at_most_once" } }
    fault.kill { ahead.member[2], at = (5000 + i * 77) .. "ms", lasting = "1s" }
    shares_out(name, ahead, 2)
end
local behind = consumers "behind" { of = orders, members = 2, session = "7032ms",
    protocol = "cooperative", commit = { after = "batch" } }
fault.kill { behind.member[2], at = "5914ms", lasting = "1s" }
shares_out("behind", behind, 2)

-- Heartbeats of the generation before that come late: nor do they.
local logs = broker "logs" { nodes = 4, spread = eu }
local lines = topic "lines" { on = logs, partitions = 3 }
local tail = consumers "tail" { of = lines, members = 3, session = "2245ms" }
fault.partition { link(tail, logs), at = "13278ms", lasting = "3684ms" }
fault.latency { eu, at = "3187ms", lasting = "140ms",
    add = dist.lognormal { p50 = "20ms", p99 = "1.7s" } }
shares_out("tail", tail, 3)

-- What ran out while the coordinator was paused is looked at when it goes on, once.
local jobs = broker "jobs" { nodes = 1 }
local work = topic "work" { on = jobs, partitions = 1 }
local hands = consumers "hands" { of = work, members = 1, session = "2149ms" }
fault.pause { jobs, at = "17s", lasting = "2166ms" }
shares_out("hands", hands, 1)

-- Nor those of this generation that were under way when it joined: a round trip is three heartbeats.
local far = region "far" { zones = { "a", "b" }, latency = "150ms" }
local beats = broker "beats" { nodes = 1, on = far.zone.a }
local drums = topic "drums" { on = beats, partitions = 6 }
traffic "drummer" { to = drums, rate = "50/s" }
local quick = consumers "quick" { of = drums, members = 3, session = "10s", heartbeat = "100ms",
    on = far.zone.b }
fault.kill { quick.member[3], at = "20s", lasting = "25s" }
expect "quick rebalances twice" { at_end = quick.rebalances:equals(2) }
shares_out("quick", quick, 3)
