-- Q37: a day's wave of arrivals, and as many servers as it needs. diurnal.c looks at what comes
-- out, for which an expectation has no words: the wave's amplitude and how late it is.
scenario "A wave into an infinite server" { duration = "378000s" }

local q = service "q" { concurrency = 60000, service_time = dist.exponential { mean = "600s" } }
traffic "customers" {
  to = q, rate = shape.sine { mean = "100/m", amplitude = "50/m", period = "3600s" },
  timeout = "1000h", beside = true,
}
expect "somebody comes" { sometimes = q.rate:above "1/s" }
