-- Q39, fluid overload and drain: 1,200/s for 60 s on a server of 1,000/s, then 800/s. Expected:
-- the deterministic fluid limit: a backlog of 12,000 after 60 s, the longest wait 12 s, empty
-- again after 120 s. Even arrivals and constant service make it exact but for the one in service.
scenario "Overload and drain" { duration = "130s" }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" }, service_time = "1ms" }
traffic "customers" {
  to = q, rate = shape.steps { { "0s", "1200/s" }, { "60s", "800/s" } }, arrivals = "constant",
  timeout = "1h", beside = true,
}

expect "the backlog after a minute is 12,000" {
  sometimes = q.in_flight:between(11995, 12005), during = { after = "59s", lasting = "2s" },
}
expect "it is never more" { always = q.in_flight:at_most(12005) }
expect "the longest wait is 12 s" {
  at_end = q.queue.wait.max:between("11.99s", "12.01s"),
}
expect "half way down it is 6,000" {
  sometimes = q.in_flight:between(5995, 6005), during = { after = "89s", lasting = "2s" },
}
expect "there is a queue until two minutes are over" {
  always = q.in_flight:at_least(100), during = { after = "1s", lasting = "118s" },
}
expect "and none after" { always = q.in_flight:at_most(1), during = { after = "121s" } }
