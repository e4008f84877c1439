-- K04: fluid arithmetic of a backlog. Records come at a, a reader works on c of them a second and
-- stands still for D: the lag is a D at most and gone after a D / (c - a).
local rows = { ["c=1500"] = { work = 1 / 1500, catch_up = 90 },
    ["c=1100"] = { work = 1 / 1100, catch_up = 450 } }
local row = rows[param("row", { "c=1500", "c=1100" })]
local D, a = 45, 1000
local after = 60 + D + row.catch_up

scenario "a backlog grows and goes" { duration = math.ceil(after * 1.1) .. "s", warmup = "1s" }

local kafka = broker "kafka" { nodes = 1, disk_write = "0s" }
local orders = topic "orders" { on = kafka }
traffic "shop" { to = orders, rate = a .. "/s", arrivals = "constant" }
local reader = consumers "reader" {
  of = orders, work = ("%.0fns"):format(row.work * 1e9), session = "2m",
}
fault.pause { reader, at = "60s", lasting = D .. "s" }

expect "the lag is a D at most" { sometimes = reader.lag.records:at_least(a * D * 0.98) }
expect "and not more" { always = reader.lag.records:at_most(a * D * 1.02) }
-- A fiftieth of the time before and after, and of the backlog.
local slack = row.catch_up * 0.02
expect "it is there until then" {
  always = reader.lag.records:above(0.2 * slack * (1 / row.work - a)),
  during = { after = "61s", lasting = math.floor(D + row.catch_up - slack - 2) .. "s" },
}
expect "then it is gone" {
  always = reader.lag.time:below "1s", during = { after = math.ceil(after + slack) .. "s" },
}
