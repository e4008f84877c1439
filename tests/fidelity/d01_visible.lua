-- D01, when others see a commit: PostgreSQL ends a transaction in the array of running ones only
-- after it has flushed it and its standbys have confirmed it (RecordTransactionCommit calls
-- SyncRepWaitForLSN before CommitTransaction calls ProcArrayEndTransaction; backend/access/
-- transam/xact.c). So at the primary nobody reads a write before it is acknowledged at the level
-- in force. Local flush and standby flush 5 ms, standby write 0.5 ms, apply 10 ms, round trip
-- 70 ms: those of d01_commit.lua. A model that puts rows in place as it writes
-- them says 0 everywhere.
--
-- Each second one row is written, and another client looks every millisecond, by itself and in a
-- transaction; what it sees may be no more than that late.
local level = param("level", { "async", "local", "remote_write", "on", "remote_apply" })
local engine = param("engine", { "rows", "sqlite" })
local flush, write, apply, trip = 5, 0.5, 10, 70
local expected = ({
  async = 0, ["local"] = flush, remote_write = flush + trip + write, on = flush + trip + flush,
  remote_apply = flush + trip + flush + apply,
})[level]
local speaks = engine == "sqlite"

scenario "Nobody sees what is not acknowledged" { duration = "40s" }

local box = host "box" {}
local db = database "db" {
  on = box, nodes = 3, query_time = "0s", commit = level, failover = false,
  wal_flush = flush .. "ms", standby_write = write .. "ms", apply_time = apply .. "ms",
  schema = speaks and "create table t(id integer primary key, n)" or nil,
  seed = speaks and "with recursive c(x) as (select 1 union all select x + 1 from c where x < 99) "
      .. "insert into t select x, 0 from c" or nil,
}
link { db, db, latency = trip / 2 .. "ms" }

local function put(req, row, options)
  if speaks then
    return req:sql { db, "update t set n = 1 where id = ?", { row }, timeout = options.timeout,
      cancel = options.cancel }
  end
  return req:call { db, "write row", key = row, value = 1, timeout = options.timeout,
    cancel = options.cancel }
end
local function has(req, row)
  if speaks then
    return req:sql({ db, "select n from t where id = ?", { row } }):must().rows[1].n == 1
  end
  return req:call({ db, "read row", key = row }).value == 1
end
local function has_within(req, row)
  local found
  req:transaction({ db, read_only = true, isolation = not speaks and "repeatable read" or nil },
    function(tx)
      if speaks then
        found = tx:sql("select n from t where id = ?", { row }).rows[1].n == 1
      else
        found = tx:read(row) == 1
      end
    end)
  return found
end

local began = {}
local function watch(req, row, look, what)
  while not look(req, row) do req:sleep "1ms" end
  local took = (now() - began[row]).ns / 1e6
  mark("seen")
  if took < expected or took > expected + 3 then
    mark(("%s: not so late"):format(what))
    log("%s: row %d was seen after %.3f ms, not %g", what, row, took, expected)
  end
end

local api = service "api" { on = box, concurrency = 100, handle = { ["GET /try"] = function(req)
  local row, who = (req.key - 1) // 3 + 1, (req.key - 1) % 3 + 1
  began[row] = began[row] or now()
  if row > 20 then return 200 end
  if who == 1 then
    put(req, row, { timeout = "10s" })
  elseif who == 2 then
    watch(req, row, has, "a read")
  else
    watch(req, row, has_within, "a transaction")
  end
  return 200
end, ["GET /alone"] = function(req)
  -- No standby confirms it: nobody sees it, but whoever comes after the crash. One that is
  -- cancelled is "committed locally": it is seen at once.
  local row = 50
  if has(req, row) or has(req, row + 1) then mark "seen before" end
  local first = put(req, row, { timeout = "500ms" })
  if first.ok or has(req, row) then mark "seen unconfirmed" end
  local second = put(req, row + 1, { timeout = "500ms", cancel = true })
  if second.ok then mark "seen unconfirmed" end
  req:sleep "100ms"
  if has(req, row + 1) then mark "seen when cancelled" end
  req:sleep "6s"
  if has(req, row) and has(req, row + 1) then mark "seen after the crash" end
  return 200
end } }
link { api, db, latency = "0s" }
traffic "tries" { to = api, op = "GET /try", rate = "3/s", batch = 3, arrivals = "constant" }


for _, what in ipairs { "a read", "a transaction" } do
  expect(what .. " sees a write when it is acknowledged") {
    never = happened(what .. ": not so late"),
  }
end
expect "all are seen" { at_end = api.success.ratio:equals "100%" }
if level ~= "async" and level ~= "local" then
  traffic "alone" { to = api, op = "GET /alone", rate = "0.0325/s", arrivals = "constant" }
  fault.replication_break { db, at = "30s", lasting = "9s" }
  fault.kill { db.primary, at = "35s", lasting = "1s" }
  for _, what in ipairs { "seen before", "seen unconfirmed" } do
    expect("nothing is " .. what) { never = happened(what) }
  end
  for _, what in ipairs { "seen when cancelled", "seen after the crash" } do
    expect("it is " .. what) { eventually = happened(what), within = "40s" }
  end
end
