-- Deadlines handed on, as the SRE book has it (ch. 22, "Deadline propagation"): A has 30 s and works
-- for 7 s before it asks B, which has 23 s; B works for 4 s before it asks C, which has 19 s. Exact,
-- since nothing here takes time but the work.
-- And its counter-example: C has been asked with 20 s by somebody who gave it 2 s in all; it takes
-- the request from its queue after 5 s, and does work that nobody waits for.
scenario "Deadlines are handed on, or work is wasted" { duration = "2m" }

local machine = host "machine" {}

local function chain(name, deadlines)
  local left = {}
  local function note(who, req)
    left[who] = true
    mark(("%s: %s has %s left"):format(name, who, tostring(req:time_left())))
  end
  local c = service("c-" .. name) { on = machine, deadlines = deadlines, service_time = "0s",
    handle = { ["GET /c"] = function(req) note("c", req) return 200 end } }
  local b = service("b-" .. name) { on = machine, deadlines = deadlines, service_time = "4s",
    handle = { ["GET /b"] = function(req)
      note("b", req)
      return req:call { c, "GET /c", timeout = "50s" }.status
    end } }
  local a = service("a-" .. name) { on = machine, deadlines = deadlines, service_time = "7s",
    calls = { call { b, "GET /b", timeout = "40s" } } }
  link { b, c, latency = "0s" }
  link { a, b, latency = "0s" }
  traffic("users-" .. name) { to = a, rate = "1/m", arrivals = "constant", timeout = "30s",
    beside = true }
end
chain("handed on", "propagate")
chain("ignored")

expect "B has 23 s when it is asked, 19 when it has worked for 4" {
  sometimes = happened "handed on: b has 19s left",
}
expect "C has 19 s" { sometimes = happened "handed on: c has 19s left" }
expect "without it B has its own 40 s" { sometimes = happened "ignored: b has 36s left" }
expect "and C its own 50 s" { sometimes = happened "ignored: c has 50s left" }

-- One worker is busy for 5 s with somebody else's request; the one that waits has 2 s.
local function busy(name, deadlines)
  local tier = service(name) { on = machine, concurrency = 1, service_time = "5s",
    deadlines = deadlines }
  traffic("patient users of " .. name) { to = tier, rate = "1/m", arrivals = "constant",
    timeout = "20s", beside = true }
  traffic("hurried users of " .. name) { to = tier, rate = 1 / 61 .. "/s", arrivals = "constant",
    timeout = "2s", beside = true }
  return tier
end
local wasteful, careful = busy("wasteful"), busy("careful", "propagate")
local wasted = { after = "66s", lasting = "4s" }
expect "the work is done for nobody" { always = wasteful.busy:equals "100%", during = wasted }
expect "or not begun" { always = careful.busy:equals(0), during = wasted }
expect "but refused" { sometimes = careful.shed.ratio:at_least "50%" }
