-- What Toxiproxy's documentation lists, in Lorenz's words: each of its toxics, its toxicity and its
-- streams, added, changed and removed while the run goes on.
scenario "Toxiproxy's toxics before a real server" { duration = "16s" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http" },
}
-- A connection for each request: what is about connections has many to choose from.
local users = traffic "users" { to = web, op = "GET /", rate = "40/s", timeout = "1s",
                                fresh = "100%" }
local way = link(users, web)
local function within(from) return { after = from, lasting = "1s" } end

-- latency, `latency` 40 and `jitter` 10, downstream
fault.latency { way, add = dist.uniform { from = "30ms", to = "50ms" }, direction = "from",
                at = "1s", lasting = "500ms" }
-- the same, upstream
fault.latency { way, add = "40ms", direction = "to", at = "1500ms", lasting = "500ms" }
-- the same with `toxicity` 0.2: of the connections; without `per` it is of the messages
fault.latency { way, add = "400ms", ratio = "20%", per = "connection",
                at = "2s", lasting = "1s" }
fault.latency { way, add = "400ms", ratio = "10%", at = "3s", lasting = "1s" }
-- down: the proxy is disabled, who comes is sent away
fault.reset { way, at = "4s", lasting = "500ms" }
-- bandwidth
fault.bandwidth { way, rate = "1Mbit/s", at = "5s", lasting = "500ms" }
-- slow_close
fault.slow_close { way, delay = "50ms", at = "5500ms", lasting = "500ms" }
-- timeout: nothing passes, and what is open is ended after a while
fault.blackhole { web, at = "6s", lasting = "1200ms" }
fault.reset { way, after = "200ms", at = "6s", lasting = "1200ms" }
-- reset_peer, `timeout` 0, of some connections
fault.reset { way, ratio = "40%", at = "9s", lasting = "1s" }
-- slicer
fault.slicer { way, size = "10B", variation = "5B", delay = "1ms", at = "10s", lasting = "500ms" }
-- limit_data, downstream, of some connections
fault.limit_data { way, bytes = "1B", ratio = "40%", direction = "from", at = "11s",
                   lasting = "1s" }

-- POST of a toxic, then one that changes by itself, as by POST of its attributes again and again;
-- DELETE comes with the end of `lasting`.
drive("an operator", function()
  sleep "13s"
  fault.latency { way, add = "100ms", lasting = "1s" }
  sleep "1s"
  fault.latency { way, add = "200ms", ramp = "500ms", lasting = "1s" }
end)

expect "before, all is well" { always = users.errors.ratio:equals "0%",
                               during = { after = "0s", lasting = "1s" } }
expect "a jitter is paid one way" { sometimes = users.latency.p50:at_least "30ms",
                                    during = within "1s" }
expect "most connections are spared" { sometimes = users.latency.p50:below "300ms",
                                       during = within "2s" }
expect "some are not" { sometimes = users.latency.max:at_least "400ms", during = within "2s" }
expect "most messages are spared" { sometimes = users.latency.p50:below "300ms",
                                    during = within "3s" }
expect "who comes while it is down is sent away" {
  sometimes = users.errors.ratio:at_least "20%", during = within "4s",
}
expect "nothing passes a timeout" { sometimes = users.errors.ratio:at_least "50%",
                                    during = { after = "6s", lasting = "3s" } }
expect "some connections are reset" {
  sometimes = users.errors.ratio:between("5%", "95%"), during = within "9s",
}
expect "some are cut off after a byte" {
  sometimes = users.errors.ratio:between("5%", "95%"), during = within "11s",
}
expect "what is added while it runs acts at once" {
  sometimes = users.latency.p50:at_least "200ms", during = within "13s",
}
