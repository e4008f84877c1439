-- Every tenth record fails once: what had been produced with it is aborted, and only who reads
-- uncommitted records sees it. A member that stands still for longer than its transaction may last
-- is fenced; until then nothing behind it is read. Markers have offsets of their own.
scenario "What was aborted is not read" { duration = "40s", warmup = "2s" }

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, replication = 3 }
local payments = topic "payments" { on = kafka, replication = 3 }

local tried = {}
local workers = consumers "workers" {
  of = orders, session = "10s", batch = 20, transactions = true, transaction_timeout = "5s",
  handle = function(record)
    local paid = record:call { payments, "produce", timeout = "2s", value = record.offset }
    record:sleep "5ms"
    if record.offset % 10 ~= 0 or tried[record.offset] then return paid.ok end
    tried[record.offset] = true
    return false
  end,
}

-- Whoever reads: what it has been given before fails, and is passed over.
local function ledger(name, isolation)
  local seen = {}
  return consumers(name) {
    of = payments, isolation = isolation, work = "100us", on_error = "skip",
    handle = function(record)
      local is_new = not seen[record.value]
      seen[record.value] = true
      return is_new
    end,
  }
end
local committed = ledger("committed", "read_committed")
local uncommitted = ledger("uncommitted", "read_uncommitted")

local last
local gaps = consumers "gaps" {
  of = payments, isolation = "read_committed", work = "100us", on_error = "skip",
  handle = function(record)
    local follows = last == nil or record.offset == last + 1
    last = record.offset
    return follows
  end,
}

traffic "shop" { to = orders, rate = shape.steps { { "0s", "5/s" }, { "30s", "0/s" } } }
fault.pause { workers.member[1], at = "15s", lasting = "8s" }

expect "failures and the timeout abort" { at_end = workers.transactions.aborted:at_least(12) }
expect "others are committed" { at_end = workers.transactions.committed:at_least(40) }
expect "nothing aborted is read" { at_end = committed.failed:equals(0) }
expect "but by who asks for it" { at_end = uncommitted.failed:at_least(12) }
expect "each marker is an offset" { at_end = gaps.failed:at_least(40) }
expect "all is read in the end" { at_end = committed.lag.records:equals(0) }
