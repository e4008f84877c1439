-- One flight per key: followers share the leader's outcome, and one of them leads on when the leader
-- is cancelled. What a handler is told of its request.
scenario "One flight, whoever leads it" { duration = "30s" }

local origin = service "origin" { service_time = "500ms", concurrency = 1000 }
local web = service "web" {
  service_time = "1ms", versions = { v1 = {}, v2 = {} }, version = "v2",
  handle = {
    ["GET /x"] = function(req)
      mark(("%s, class %d, %s"):format(req:version(), req:priority(),
        req:time_left() <= dur "10s" and "has a deadline" or "has none"))
      local hit = req:once("x", function()
        return req:call { origin, "GET /x", timeout = "2s" }
      end)
      return hit.ok and 200 or 503
    end,
  },
}
-- Every second: who is impatient comes first and is cancelled after 100 ms; ten others wait.
local hasty = traffic "hasty" { to = web, op = "GET /x", rate = "1/s", arrivals = "constant",
  timeout = "100ms", cancel = true, priority = 3 }
local patient = traffic "patient" { to = web, op = "GET /x", rate = "20/s", arrivals = "constant",
  timeout = "10s" }

expect "who is hasty leaves" { at_end = hasty.success.ratio:equals(0) }
expect "who is patient is served" { at_end = patient.success.ratio:equals "100%" }
expect "the origin is asked no more than twice a second" { never = origin.rate:above "2/s" }
expect "a handler knows its request" { sometimes = happened "v2, class 3, has a deadline" }
expect "and those of others" { sometimes = happened "v2, class 0, has a deadline" }
