scenario "The order of a table decides when things happen" { duration = "30s" }

local web = service "web" { replicas = 2, service_time = dist.exponential { mean = "2ms" } }
traffic "users" { to = web, rate = "100/s" }

drive("walker", function()
  local waits = {}
  for _, name in ipairs { "amber", "birch", "cedar", "dahlia", "elm", "fir", "ginkgo", "hazel" } do
    waits[name] = #name
  end
  sleep "3s"
  for name, length in pairs(waits) do
    log(name)
    sleep(dur("10ms") * length)
  end
end)

expect "users are served" { always = web.success.ratio:above "99%" }
