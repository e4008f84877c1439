-- The coordinator has aborted what was open too long, and its refusal is lost: whoever asks again
-- is fenced still, and has not an empty transaction to commit.
scenario "Who is fenced stays so until it has joined" { duration = "90s", warmup = "2s" }
local eu = region "eu" { zones = { "a", "b" }, latency = "1ms" }
local kafka = broker "kafka" { nodes = 1, spread = eu.zone.a }
local orders = topic "orders" { on = kafka }
local payments = topic "payments" { on = kafka }
local is_slow, seen = false, {}
local workers = consumers "workers" {
  of = orders, batch = 5, transactions = true, transaction_timeout = "5s", session = "70s",
  spread = eu.zone.b,
  handle = function(record)
    local paid = record:call { payments, "produce", timeout = "2s", value = record.offset }
    if record.offset == 100 and not is_slow then
      is_slow = true
      record:sleep "8s"
    end
    return paid.ok
  end,
}
consumers "committed" {
  of = payments, isolation = "read_committed", work = "100us",
  handle = function(record)
    seen[record.value] = true
    return true
  end,
}
traffic "shop" { to = orders, rate = shape.steps { { "0s", "20/s" }, { "20s", "0/s" } } }
fault.partition { kafka, workers, direction = "to", at = "12500ms", lasting = "35s" }
drive("count", function()
  sleep "89s"
  local missing = 0
  for offset = 0, 350 do missing = missing + (seen[offset] and 0 or 1) end
  log("%d orders are worked on and not paid", missing)
  assert(missing == 0)
end)
expect "all is worked on" { at_end = workers.lag.records:equals(0) }
