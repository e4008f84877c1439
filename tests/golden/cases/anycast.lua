scenario "One address, three sites" { duration = "180s" }

local case = param("case", { "lost", "back", "slow to notice", "alive", "nobody" })

local eu = region "eu" { zones = { "a" } }
local us = region "us" { zones = { "a" } }
local asia = region "asia" { zones = { "a" } }

local site = {}
for i, where in ipairs { eu, us, asia } do
  site[i] = service("site-" .. i) { spread = where, service_time = "1ms" }
end

local edge = dns "edge" {
  policy = "anycast", answers = site, convergence = dist.uniform { from = "0s", to = "30s" },
  health = { every = case == "slow to notice" and "20s" or "1s" },
}

local users = traffic "users" { to = edge, rate = "200/s", near = us, timeout = "1s" }
local long = traffic "long" {
  to = edge, rate = "20/s", near = us, timeout = "10s", response_size = "200KiB",
}

local gone
if case == "alive" then -- only those who check it cannot reach it
  gone = fault.partition { edge, site[2], at = "60s", lasting = "60s" }
else
  gone = fault.down { us, at = "60s", lasting = case == "back" and "60s" or "120s" }
end
if case == "nobody" then
  fault.down { eu, at = "60s" }
  fault.down { asia, at = "60s" }
end

-- The users' own site answers within its 15 ms there and 15 ms back; others are 55 ms away.
expect "they are served from nearby" {
  always = users.latency.p50:below "35ms", except = { after = gone, lasting = "120s" },
}
if case == "nobody" then
  expect "an address that nobody announces leads nowhere" {
    eventually = users.errors.ratio:at_least "99%", after = gone, within = "5s", holding = "100s",
  }
elseif case == "alive" then
  expect "who goes elsewhere while the site lives loses nothing short" {
    always = users.errors.ratio:equals(0),
  }
  expect "a long answer ends with its route" { sometimes = long.errors.ratio:above "1%" }
  expect "from farther away" { sometimes = users.latency.p50:above "110ms" }
else
  local withdrawn = case == "slow to notice" and 60 or 3
  expect "who has heard goes to the next site: half of them 15 s after it is withdrawn" {
    eventually = users.errors.ratio:below "50%", after = gone,
    within = ("%ds"):format(withdrawn + 17), holding = "10s",
  }
  expect "nobody is left behind 30 s after it is withdrawn" {
    eventually = users.errors.ratio:equals(0), after = gone,
    within = ("%ds"):format(withdrawn + 33), holding = "20s",
  }
  expect "from farther away" { sometimes = users.latency.p50:above "110ms" }
end
