-- A shop that grows with its load, while the platform under it does not do its part.
scenario "Load doubles while the platform fails" { duration = "10m" }

local what = param("fault", { "none", "autoscaler_off", "capacity_shortage", "capacity_late",
  "registry_outage", "control_plane_down", "monitoring_loss" })

local eu = region "eu" { zones = { "a", "b" } }
local shop = service "shop" {
  spread = eu, cpu = 1, service_time = "10ms", versions = { fix = {} }, error_ratio = "5%",
  autoscale = { min = 1, max = 4, target_cpu = "50%", startup = "20s", cooldown = "30s" },
}
traffic "buyers" { to = shop, timeout = "2s", arrivals = "constant",
  rate = shape.steps { { "0s", "40/s" }, { "2m", "90/s" } } }

local AT = { at = "1m", lasting = "4m" }
local function during(target, more)
  local f = { target, at = AT.at, lasting = AT.lasting }
  for k, v in pairs(more or {}) do f[k] = v end
  return f
end
if what == "autoscaler_off" then fault.autoscaler_off(during(shop)) end
if what == "capacity_shortage" then fault.capacity_shortage(during(eu)) end
if what == "capacity_late" then fault.capacity_shortage(during(shop, { delay = "60s" })) end
if what == "registry_outage" then fault.registry_outage(during(shop)) end
if what == "control_plane_down" then fault.control_plane_down(during(eu)) end
if what == "monitoring_loss" then fault.monitoring_loss(during(shop)) end

-- Whoever is on call sees the errors, and deploys what mends them.
local pipeline = what == "none" and fault.pipeline_outage { shop, at = "500ms", lasting = "89s" }
local pager = what == "none" and
  fault.alert_delay { shop, add = "20s", at = "500ms", lasting = "1m" }
drive("on call", function()
  wait_until(shop.errors.ratio:above "1%")
  mark "paged"
  while not shop:route { fix = "100%" } do sleep "10s" end
  mark "deployed"
end)

local late = what ~= "none"
expect "it has grown by 4m" {
  [late and "never" or "sometimes"] = shop.replicas.ready:at_least(2),
  during = { after = "0s", lasting = what == "capacity_late" and "3m" or "4m" },
}
expect "in the end it has" { at_end = shop.replicas.ready:at_least(2) }
if not late then
  expect "nobody is paged in the first 20 s" {
    never = happened "paged", during = { after = "0s", lasting = "20s" },
  }
  expect "the fix waits for the pipeline" {
    never = happened "deployed", during = { after = "0s", lasting = "90s" },
  }
  expect "both have done something" { sometimes = happened "deployed" }
  assert(pipeline and pager)
end
