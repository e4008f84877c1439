-- Requests that a limit holds back have a connection to the gateway (ngx_http_limit_req_module
-- delays them by a timer of their own): it counts them, is waited for by them when it stops, resets
-- them when it dies, and forgets those whose callers have gone (ngx_http_test_reading).
scenario "What a gateway holds back is there" { duration = "10s" }

local function hold(name, options)
  local api = service(name .. " api") { service_time = "1ms" }
  options.to, options.limit, options.burst = api, "10/s", 40
  options.algorithm, options.delay = "leaky_bucket", 0
  local balance = options.balance
  options.balance = nil
  local front = gateway(name) (options)
  local users = traffic("users of " .. name) {
    to = front, op = "GET /", rate = shape.steps { { "0s", "100/s" }, { "400ms", "0/s" } },
    arrivals = "constant", timeout = name == "left" and "500ms" or "8s", cancel = name == "left",
    balance = balance,
  }
  return front, users, api
end

local front, users = hold("front", {})
expect "they are in flight" { sometimes = front.in_flight:at_least(35) }
expect "their wait is its latency" { at_end = front.latency.max:between("3.4s", "3.6s") }
expect "and all are answered" { at_end = users.errors.ratio:equals("0%") }

-- The least loaded of two is the one with fewer of them, whoever tells.
for _, policy in ipairs { "join_shortest_queue", "least_requests", "power_of_two" } do
  local pair = hold(policy, { replicas = 2, balance = policy })
  for i = 1, 2 do
    expect(policy .. ": half of them are at " .. i) {
      always = pair.replica[i].in_flight:at_most(19) }
  end
end

local killed, resets = hold("killed", {})
fault.kill { killed, at = "1s" }
expect "who is held when it dies is told at once" {
  always = resets.in_flight:equals(0), during = { after = "1.1s", lasting = "8s" } }
expect "and it has no more of them" {
  always = killed.in_flight:equals(0), during = { after = "1.1s", lasting = "8s" } }

local stopped, patient = hold("stopped", { grace_period = "5s" })
fault.stop { stopped, at = "500ms", lasting = "8s" }
expect "it ends when they are answered" { always = patient.errors.ratio:equals("0%") }

local left, _, api = hold("left", {})
expect "who has given up never comes in" {
  always = api.rate:equals("0/s"), during = { after = "1s", lasting = "8s" } }
expect "and is not there" {
  always = left.in_flight:equals(0), during = { after = "1s", lasting = "8s" } }
