-- Two transactions that meet: a deadlock, a row that another has written, a write skew; and what a
-- statement says after its transaction has failed, or ended.
scenario "Two transactions that meet" { duration = "10s" }

local db = database "db" { query_time = "1ms", deadlock_timeout = "50ms", lock_timeout = "200ms" }

local function told(name, r)
  log("%s: %s %s %s, %d tries", name, r.ok and "committed" or "not", tostring(r.code),
    tostring(r.error or r.value), r.attempts)
end

local kept

local api = service "api" { handle = {
  ["deadlock"] = function(req)
    local mine, other = req.key % 2 + 1, (req.key + 1) % 2 + 1
    told("deadlock", req:transaction({ db }, function(tx)
      tx:write(mine, req.key)
      req:sleep "10ms"
      tx:write(other, req.key)
      return #tx:scan(1, 2)
    end))
  end,
  ["overtaken"] = function(req)
    local options = { db, isolation = "repeatable read", retries = req.key % 2, backoff = "5ms" }
    told("overtaken", req:transaction(options, function(tx)
      local was = tx:read "counter" or 0
      req:sleep(req.key % 2 == 0 and "10ms" or "20ms")
      tx:write("counter", was + 1)
      return was + 1
    end))
  end,
  ["late"] = function(req)
    told("rolled back", req:transaction({ db }, function(tx)
      tx:write("x", 1)
      kept = tx
      tx:rollback()
    end))
    log("afterwards: %s", select(2, pcall(kept.read, kept, "x")))
    told("read only", req:transaction({ db, read_only = true }, function(tx)
      pcall(tx.write, tx, "x", 1)
      return tx:read "x"
    end))
    told("nothing done", req:transaction({ db }, function() return "nothing" end))
  end,
  ["holder"] = function(req)
    if req.key % 2 == 0 then req:sleep "10ms" end
    told("lock", req:transaction({ db, timeout = "1s" }, function(tx)
      tx:lock "row"
      req:sleep "500ms"
    end))
  end,
} }
for _, op in ipairs { "deadlock", "overtaken", "holder" } do
  traffic(op .. " users") { to = api, op = op, rate = "0.4/s", batch = 2, arrivals = "constant" }
end
traffic "late users" { to = api, op = "late", rate = "0.2/s", arrivals = "constant" }

expect "a deadlock a time" { at_end = db.deadlocks:equals(1) }
expect "who was overtaken tries again" { at_end = db.serialization_failures:equals(1) }
expect "who waits too long gives up" { at_end = db.lock_timeouts:equals(1) }
expect "nothing is left open" { at_end = db.transactions:equals(0) }
expect "waits are seen" { always = db.locks.wait.max:below "1ms" }
