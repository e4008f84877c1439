-- An end that nothing brings about: neither `lasting` nor a drive that stops it.
scenario "An outage without an end" { duration = "1m", warmup = "5s" }
local web = service "web" { replicas = 2 }
traffic "users" { to = web, rate = "50/s" }
local outage = fault.blackhole { web, at = "20s" }
expect "it comes back" {
  after = outage.ends, within = "3s", eventually = web.errors.ratio:below "1%",
}
expect "it stays" { always = web.errors.ratio:below "1%", during = { after = outage.ends } }
