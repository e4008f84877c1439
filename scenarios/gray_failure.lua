-- Gray failure is differential observability: the system's detector says that a component is well
-- while its users say that it is not.
--
-- Numbers to reproduce: one of ten replicas turns a third of its answers into errors and is five
-- times slower, and its health checks go on passing. Requests are spread evenly, so a tenth of
-- them meet it: 3.3 % of all fail, for ever. Outlier detection looks at what users see instead:
-- the replica is ejected and errors end, but for the probation of every return.
local detector = param("detector", { "health checks", "outlier detection" })

scenario "Users do not see that one replica in ten is half dead" {
  about = "One replica fails a third of its answers and passes all health checks. Huang, Guo, "
    .. "Zhou, Lorch, Dang, Chintalapati, Yao: \"Gray Failure: The Achilles' Heel of Cloud-Scale "
    .. "Systems\" (HotOS 2017).",
  tags     = { "gray-failure", "health-checks" },
  duration = "6m",
  warmup   = "30s",
  xfail    = { detector = "health checks" },
}

local api = service "api" {
  replicas = 10, concurrency = 64, service_time = dist.exponential { mean = "10ms" },
  readiness = { period = "5s" }, liveness = { period = "10s" },
}

local web = service "web" {
  replicas = 2, concurrency = 512, service_time = "1ms",
  calls = { call { api, "GET /", timeout = "1s",
    outliers = detector == "outlier detection" and { failures = 3, ejection = "60s" } or nil } },
}

local users = traffic "users" { to = web, rate = "300/s" }

local sick = fault.degrade {
  api.replica[4], factor = 5, error_ratio = "33%", at = "1m", lasting = "4m",
}

expect "users see fewer than 1 % errors once it could be known" {
  always = users.errors.ratio:below "1%", over = "30s",
  except = { after = sick, lasting = "40s" },
}

expect "the platform believes all the time that all is well" {
  always  = api.replicas.ready:equals(10),
  because = "that is what makes it gray: probes pass, nothing is restarted",
}

if detector == "health checks" then
  expect "a tenth of the requests meet a third of errors: 3.3 %" {
    always = users.errors.ratio:between("2%", "4.6%"), over = "60s",
    during = { after = "2m", lasting = "2m" },
  }
end
