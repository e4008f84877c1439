-- Requests that draw how long they work and wait, each for itself: a second draw is another one.
scenario "A handler draws" { duration = "30s" }
local shop = service "shop" {
  service_time = "0s",
  handle = { ["GET /item"] = function(req)
    req:work(dist.exponential { mean = "2ms" })
    req:sleep(dist.empirical { { 0, "10ms" }, { 1, "30ms" } })
    req:sleep "1ms"
    return 200
  end },
}
traffic "users" { to = shop, op = "GET /item", rate = "200/s", beside = true }
expect "the mean is that of all three" { at_end = shop.latency.mean:between("22ms", "24ms") }
