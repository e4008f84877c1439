-- Load as a fault: users count among the users, bots do not; a ramp grows, a shape begins with it.
scenario "More come than anybody planned for" { duration = "3m", warmup = "1s" }
local web = service "web" { replicas = 2, service_time = "1ms" }
local users = traffic "users" { to = web, rate = "100/s", arrivals = "constant", beside = true }

local more = fault.surge { users, factor = 3, at = "20s", lasting = "40s", ramp = "20s" }
local crawl = fault.bots { web, rate = "400/s", at = "80s", lasting = "10s" }
local wave = fault.surge { web, at = "100s", lasting = "20s",
  rate = shape.steps { { "10s", "150/s" } } }
fault.surge { users, factor = 2, at = "130s", lasting = "1s", every = "10s" }

expect "nobody more comes before" { always = users.rate:equals "100/s",
  except = { after = more, lasting = "160s" } }
expect "half way up there are two thirds" {
  always = users.rate:between("180/s", "220/s"), during = { after = "29s", lasting = "2s" },
}
expect "then three times as many" {
  always = users.rate:between("299/s", "301/s"), during = { after = "41s", lasting = "18s" },
}
expect "bots are not users" { always = users.rate:equals "100/s", during = { after = crawl,
  lasting = "10s" } }
expect "but they are served" { always = web.rate:between("495/s", "505/s"), during = { after = "81s",
  lasting = "8s" } }
expect "a shape's time counts from the fault's beginning" {
  always = users.rate:between("245/s", "255/s"), during = { after = "111s", lasting = "8s" },
}
expect "and until then it adds nobody" {
  always = users.rate:equals "100/s", during = { after = wave, lasting = "9s" },
}
