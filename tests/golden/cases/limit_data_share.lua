-- Connections of which a share is cut after 100 bytes, each drawn once: who has lost one opens
-- another, until it has one that is spared; from then on nobody fails. Were all struck, each request
-- would fail; were requests drawn, three of ten for ever.
local ratio = param("ratio", { "30%", "100%" })
scenario "A share of the connections is cut" { duration = "2m" }
local db = service "db" {}
local web = service "web" {
  replicas = 20, calls = { call { db, timeout = "1s", pool = { max = 1 } } },
}
traffic "users" { to = web, rate = "40/s", beside = true }
local cut = fault.limit_data { link(web, db), bytes = "100B", ratio = ratio, at = "10s" }

if ratio == "30%" then
  expect "some fail at first" { sometimes = web.errors.ratio:above "5%" }
  expect "then all have a connection that is spared" {
    eventually = web.errors.ratio:equals "0%", after = cut, within = "30s", holding = "60s",
  }
else
  expect "each request fails" {
    always = web.errors.ratio:equals "100%", during = { after = "12s" },
  }
end
