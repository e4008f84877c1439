-- What all faults take: `ramp` grows from nothing along a straight line, `pick` rounds half up and
-- hits at least one, `every` comes again and picks anew.
scenario "Faults grow, and choose" { duration = "3m" }

local function fleet(name, replicas)
  local s = service(name) { replicas = replicas, service_time = "1ms" }
  traffic(name .. "-users") { to = s, rate = "50/s", arrivals = "constant", beside = true }
  return s
end

-- 100 ms more, one way and back, after 100 s: at 50 s it is half of it.
local web = fleet("web", 1)
local users = traffic "users" { to = web, rate = "100/s", arrivals = "constant" }
local slow = fault.latency { link(users, web), add = "100ms", at = "10s", lasting = "120s",
  ramp = "100s" }
expect "it begins with nothing" {
  always = users.latency.p50:below "35ms", during = { after = slow, lasting = "1s" },
}
expect "half way it is half of it" { -- 31 ms and 2 x 50 ms, within two steps of the ramp
  always = users.latency.mean:between("128ms", "134ms"),
  during = { after = "60s", lasting = "1s" },
}
expect "then all of it" {
  always = users.latency.p50:between("230ms", "233ms"), during = { after = "112s", lasting = "17s" },
}
expect "and then nothing" {
  always = users.latency.p50:below "32ms", during = { after = "131s" },
}

-- A share of three is a half, of five a tenth, of four a quarter; a count above all is all.
local half, tenth, few, many = fleet("half", 3), fleet("tenth", 5), fleet("few", 4), fleet("many", 2)
fault.kill { half, pick = "50%", at = "10s" }
fault.kill { tenth, pick = "10%", at = "10s" }
fault.kill { few, pick = "one", at = "10s" }
fault.kill { many, pick = 5, at = "10s" }
expect "half of three is two" { at_end = half.replicas.up:equals(1) }
expect "a tenth of five is one" { at_end = tenth.replicas.up:equals(4) }
expect "one is one" { at_end = few.replicas.up:equals(3) }
expect "more than there are is all" { at_end = many.replicas.up:equals(0) }

-- Each firing picks anew: within 16 of them each of four is hit.
local turns = fleet("turns", 4)
fault.pause { turns, pick = "one", at = "10s", lasting = "2s", every = "10s" }
for i = 1, 4 do
  expect("replica " .. i .. " has its turn") {
    sometimes = turns.replica[i].rate:below "1/s", during = { after = "5s" },
  }
end
