-- Lua's `and` gives the second of two matchers: the first would never be judged.
scenario "Joined by and" { duration = "1m" }
local web = service "web" { service_time = "5ms" }
traffic "users" { to = web, rate = "10/s" }
expect "it works" { always = web.latency.p99:below "1s" and web.errors.ratio:below "1%" }
expect "it works too" { always = web.errors.ratio:equals(0) or web.latency.p99:below "1s" }

-- What joins nothing: a condition, one of two that a condition chooses, methods of others.
local fast = param("fast", { true, false })
expect "one of two" {
  always = fast and web.latency.p99:below "300ms" or web.latency.p99:below "1s",
}
local own = { equals = function(self, other) return self == other end }
drive("look", function()
  if fast and own:equals(own) or not fast then log "fast" end
end)
