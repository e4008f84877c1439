-- A question that is lost is asked again; a name that is cut off is not answered at all.
scenario "Lookups are lost like other packets" { duration = "3m", warmup = "10s" }

local web = service "web" {}
local shop = dns "shop" { answers = { web }, ttl = "0s", resolvers = { count = 100000 } }
local users = traffic "users" { to = shop, rate = "100/s", timeout = "8s" }

local lossy = fault.loss { shop, ratio = "20%", at = "30s", lasting = "30s" }
local cut = fault.partition { shop, at = "90s", lasting = "30s" }

expect "a lookup takes a round trip" { always = users.latency.p50:between("60ms", "62ms"),
  during = { after = "10s", lasting = "20s" } }
expect "a second question takes five seconds more" {
  sometimes = users.latency.p90:above "5s", during = { after = lossy, lasting = "40s" },
}
-- Both directions of both questions: (1 - 0.8 * 0.8) squared is 13 %.
expect "both are lost as often as they must" {
  sometimes = users.errors.ratio:between("10%", "16%"), over = "15s",
  during = { after = "45s", lasting = "16s" },
}
expect "nobody is told anything without a way" {
  sometimes = users.errors.ratio:equals "100%", during = { after = cut, lasting = "35s" },
}
expect "and then everybody is" {
  eventually = users.success.ratio:equals "100%", after = cut.ends, within = "15s", holding = "30s",
}
