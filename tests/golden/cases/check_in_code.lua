-- What the verdict words cannot say: a relation between metrics, a mark's time, in code.
scenario "A run is judged in code" { duration = "1m", warmup = "2s" }
local web = service "web" { replicas = 2, service_time = dist.exponential { mean = "2ms" } }
local users = traffic "users" { to = web, rate = "200/s" }
drive("somebody", function()
  sleep "20s"
  mark "looked"
end)
check("the tail is at least twice the median", function(w)
  local p50, p99 = w:value(web.latency.p50), w:value(web.latency.p99)
  return p99 >= 2 * p50, ("%.1f ms and %.1f ms"):format(p50 * 1e3, p99 * 1e3)
end)
check("somebody looked in the first half", function(w)
  local at = w:happened "looked"
  return at ~= nil and at < dur "30s"
end, { because = "later is too late" })
check("nobody waits for the network", function(w)
  local mean = w:value(users.latency.mean)
  return mean < 0.01, ("%.1f ms, of which 30 ms is the way"):format(mean * 1e3)
end, { severity = "warn" })
check("somebody fails", function(w) return w:value(web.errors.ratio) > 0 end)
