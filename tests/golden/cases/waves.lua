-- bad_deploy and config_push spread in waves: what each wave has reached shows, the rest is as it
-- was, and the end takes all of it back at once.
scenario "What is pushed comes in waves" { duration = "50s", warmup = "1s" }

local function tier(name)
  return service(name) {
    replicas = 4, service_time = "2ms",
    versions = { v1 = {}, v2 = { service_time = "6ms" } }, version = "v1",
  }
end
local routed, rolled, pushed = tier "routed", tier "rolled", tier "pushed"
for _, s in ipairs { routed, rolled, pushed } do
  traffic("users of " .. tostring(s)) { to = s, rate = "400/s", arrivals = "constant" }
end

local deploy = fault.bad_deploy {
  routed, version = "v2", error_ratio = "50%", waves = 4, gap = "5s", at = "10s", lasting = "20s",
}
local update = fault.bad_deploy {
  rolled, error_ratio = "100%", waves = 4, gap = "5s", at = "10s", lasting = "20s",
}
local push = fault.config_push { pushed, factor = 10, at = "10s", lasting = "20s" }

for wave = 1, 4 do
  local during = { after = 6 + 5 * wave .. "s", lasting = "4s" }
  local share = 25 * wave
  expect("wave " .. wave .. " routes its share to the build") {
    always = routed:version("v2").share:equals(share .. "%"), during = during,
  }
  expect("wave " .. wave .. " reaches its replicas and no others") {
    always = rolled.errors.ratio:between(share - 1 .. "%", math.min(share + 1, 100) .. "%"), during = during,
  }
end
expect "the build that is brought out is half wrong" {
  always = routed:version("v2").errors.ratio:between("40%", "60%"), over = "5s",
  during = { after = "15s", lasting = "15s" },
}
expect "the build takes its own time" { always = routed:version("v2").latency.p50:below "7ms" }
expect "the one it replaces is as it was" { always = routed:version("v1").errors.ratio:equals(0) }
expect "one wave is everywhere at once" {
  always = pushed.latency.p50:between("19ms", "21ms"), during = { after = "11s", lasting = "18s" },
}
for _, s in ipairs { routed, rolled, pushed } do
  expect("the end takes it back from " .. tostring(s)) {
    always = s.errors.ratio:equals(0), during = { after = "31s" },
  }
end
expect "times are back too" { always = pushed.latency.p50:below "3ms", during = { after = "31s" } }
expect "the route is back" { at_end = routed:version("v1").share:equals "100%" }
