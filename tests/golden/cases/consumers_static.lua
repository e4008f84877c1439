-- Static membership (KIP-345): a group whose three members are restarted one after the other does
-- not rebalance as long as each is back within its session; without names each restart rebalances
-- twice, for who leaves and who joins. Beyond the session, and for a member that does not poll for
-- longer than max_poll_interval and its session, there is a rebalance; what was not committed is
-- worked on again, and nothing is lost.
local form = param("form", { "named", "nameless", "named, killed", "named, too long", "stalls",
  "stalls long" })
local is_rolling = form == "named" or form == "nameless"
scenario "A rolling restart without rebalances" { duration = "2m", warmup = "1s" }

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 6, replication = 3, min_isr = 2 }
traffic "shop" { to = orders, rate = "100/s", arrivals = "constant", retries = 5 }
local group = consumers "group" {
  of = orders, members = 3, session = "10s", static = form ~= "nameless", reset = "earliest",
  max_poll_interval = "5s",
}

if is_rolling then
  for i = 1, 3 do fault.stop { group.member[i], at = (10 * i) .. "s", lasting = "6s" } end
elseif form == "named, killed" then
  fault.kill { group.member[1], at = "20s", lasting = "6s" }
elseif form == "named, too long" then
  fault.kill { group.member[1], at = "20s", lasting = "15s" }
else
  fault.consumer_stall {
    group.member[1], at = "20s", lasting = form == "stalls" and "10s" or "25s",
  }
end

local rebalances = { nameless = 6, ["named, too long"] = 2, ["stalls long"] = 2 }
expect "as many rebalances as the KIP has it" {
  at_end = group.rebalances:equals(rebalances[form] or 0),
}
expect "all have their share again" { at_end = group.members.assigned:equals(3) }
expect "none is missed" { at_end = group.lost:equals(0) }
expect "what waits is worked on" { at_end = group.lag.records:below(30) }
