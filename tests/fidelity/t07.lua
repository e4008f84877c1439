-- T07, coordinated omission: a service that answers in 1 ms for 100 s and then stands still for
-- 100 s. One user who waits for each answer notices once; users who come anyway notice always.
-- Source: Gil Tene, "How NOT to measure latency", worked example; wrk2's README. 10,000 samples of
-- 1 ms and one of 100 s have a mean of 10.999 ms; the truth is a mean of 25.003 s.
local open = param("load", { "one user", "open" }) == "open"

scenario "coordinated omission" { duration = "201s" }

local web = service "web" { concurrency = 20000, service_time = "1ms" }
local users = traffic "users" {
  to = web, timeout = "1h", beside = true,
  -- Nobody comes while the answers of the last 100 s are given.
  rate = open and shape.steps { { "0s", "100/s" }, { "200s", "0/s" } } or nil,
  arrivals = open and "constant" or "closed",
  users = not open and 1 or nil, think = not open and "9ms" or nil,
}
fault.pause { web, at = "100s", lasting = "100s" }

if open then
  expect "the mean is 25 s" { at_end = users.latency.mean:between("24.75s", "25.25s") }
  expect "the median is 1 ms" { at_end = users.latency.p50:between("0.99ms", "1.01ms") }
  expect "nine in ten take up to 80 s" { at_end = users.latency.p90:between("79s", "81s") }
  expect "the 99th percentile is 98 s" { at_end = users.latency.p99:between("97s", "99s") }
  expect "the longest is 100 s" { at_end = users.latency.max:between("99s", "100.1s") }
else
  expect "the mean is 11 ms" { at_end = users.latency.mean:between("10.8ms", "11.1ms") }
  expect "the 99.9th percentile is 1 ms" { at_end = users.latency.p999:between("0.99ms", "1.01ms") }
  expect "the longest is 100 s" { at_end = users.latency.max:between("99s", "100.1s") }
end
