-- Which anomalies each isolation level lets through, as PostgreSQL does: its documentation, table
-- 13.1 and 13.2.2 (repeatable read is snapshot isolation, without phantoms); the anomalies' names
-- P0 to A5B from Berenson, Bernstein, Gray, Melton, O'Neil, O'Neil, "A Critique of ANSI SQL
-- Isolation Levels", SIGMOD 1995, table 4; the last from Fekete, O'Neil, O'Neil, "A Read-Only
-- Transaction Anomaly Under Snapshot Isolation", SIGMOD Record 33(3), 2004.
--
-- Each second one anomaly is tried: three requests arrive together, each runs its transaction, and
-- step n of them happens 20 n ms later. An anomaly that was seen leaves a mark.
local isolation = param("isolation", { "read committed", "repeatable read", "serializable" })
local engine = param("engine", { "rows", "sqlite" })
local speaks = engine == "sqlite"
local always = { ["read committed"] = true, ["repeatable read"] = true, serializable = true }
local weakest = { ["read committed"] = true }
local snapshot = { ["read committed"] = true, ["repeatable read"] = true }

scenario "An isolation level keeps out what PostgreSQL's does" { duration = "20s" }

local db = database "db" {
  query_time = "100us",
  schema = speaks and "create table t(id integer primary key, v)" or nil,
}

-- name, where it is seen, the transactions' steps: { step, what, row, value }, and whether it was
-- seen, from what each read last of a row (`saw[transaction][row]`), who committed, what is there.
local anomalies = {
  { "P0 dirty write", {},
    { { 0, "write", 1, 11 }, { 3, "write", 2, 11 } },
    { { 1, "write", 1, 12 }, { 4, "write", 2, 12 } },
    function(_, _, is) return is[1] ~= is[2] end },
  { "P1 dirty read", {},
    { { 0, "write", 1, 11 }, { 3, "rollback" } },
    { { 1, "read", 1 } },
    function(saw) return saw[2][1] == 11 end },
  { "P2 non-repeatable read", weakest,
    { { 0, "read", 1 }, { 3, "again", 1 } },
    { { 1, "write", 1, 12 } },
    function(saw) return saw[1][1] ~= saw[1].again end },
  { "P3 phantom", weakest,
    { { 0, "scan", 1, 5 }, { 3, "rescan", 1, 5 } },
    { { 1, "write", 4, 12 } },
    function(saw) return saw[1].scan ~= saw[1].rescan end },
  { "P4 lost update", weakest,
    { { 0, "read", 1 }, { 3, "add", 1 } },
    { { 1, "read", 1 }, { 2, "add", 1 } },
    function(_, committed, is) return committed[1] and committed[2] and is[1] ~= 2 end },
  { "A5A read skew", weakest,
    { { 0, "read", 1 }, { 3, "read", 2 } },
    { { 1, "write", 1, 12 }, { 1, "write", 2, 12 } },
    function(saw) return saw[1][1] ~= saw[1][2] end },
  { "A5B write skew", snapshot,
    { { 0, "read", 1 }, { 0, "read", 2 }, { 3, "write", 1, 11 } },
    { { 1, "read", 1 }, { 1, "read", 2 }, { 2, "write", 2, 12 } },
    function(_, committed) return committed[1] and committed[2] end },
  { "G2 read-only anomaly", snapshot,
    { { 0, "read", 1 }, { 0, "read", 2 }, { 7, "write", 1, -11 } },
    { { 1, "read", 2 }, { 2, "write", 2, 20 } },
    function(saw, committed)
      return committed[1] and committed[2] and committed[3] and saw[3][2] == 20 and saw[3][1] == 0
    end,
    { { 4, "read", 1 }, { 4, "read", 2 } } },
  { "nothing at all", always, {}, {}, function() return true end }, -- the marks do get there
}

-- The same in SQL.
local UPSERT = "insert into t values (?, ?) on conflict(id) do update set v = excluded.v"
local sql = {
  read = function(tx, row)
    local found = tx:sql("select v from t where id = ?", { row }).rows[1]
    return found and found.v
  end,
  scan = function(tx, from, to)
    return tx:sql("select id from t where id between ? and ?", { from, to }).rows
  end,
  write = function(tx, row, value) tx:sql(UPSERT, { row, value }) end,
  rollback = function(tx) tx:rollback() end,
}

local function run_step(tx, s, base, saw)
  local what, row, value = s[2], s[3] and base + s[3], s[4]
  local raw = tx
  if speaks then
    tx = {}
    for word, f in pairs(sql) do
      tx[word] = function(_, ...) return f(raw, ...) end
    end
  end
  if what == "read" then saw[s[3]] = tx:read(row) or 0
  elseif what == "again" then saw.again = tx:read(row) or 0
  elseif what == "scan" or what == "rescan" then saw[what] = #tx:scan(row, base + value)
  elseif what == "write" then tx:write(row, value)
  elseif what == "add" then tx:write(row, saw[s[3]] + 1)
  else tx:rollback() end
end

local saws, commits = {}, {}

local api = service "api" { handle = { ["GET /try"] = function(req)
  local try, who = (req.key - 1) // 3 + 1, (req.key - 1) % 3 + 1
  local a = anomalies[try]
  if not a then return 200 end
  local steps = ({ a[3], a[4], a[6] or {} })[who]
  local saw, base, now_at = {}, 100 * try, 0
  saws[try], commits[try] = saws[try] or {}, commits[try] or {}
  saws[try][who] = saw
  if #steps > 0 then
    if steps[1][1] > 0 then req:sleep(20 * steps[1][1] .. "ms") end
    now_at = steps[1][1]
    local r = req:transaction({ db, isolation = isolation, timeout = "1s" }, function(tx)
      for _, s in ipairs(steps) do
        if s[1] > now_at then req:sleep(20 * (s[1] - now_at) .. "ms"); now_at = s[1] end
        run_step(tx, s, base, saw)
      end
    end)
    commits[try][who] = r.ok
    if not r.ok and r.error ~= "rolled back" and r.code ~= "40001" then mark "another error" end
  end
  if who ~= 3 then return 200 end
  req:sleep "400ms"
  local is = {}
  for row = 1, 5 do
    if speaks then
      local found = req:sql({ db, "select v from t where id = ?", { base + row } }):must().rows[1]
      is[row] = found and found.v or 0
    else
      is[row] = req:call { db, "read row", key = base + row }.value or 0
    end
  end
  if a[5](saws[try], commits[try], is) then mark(a[1]) end
  return 200
end } }

traffic "tries" { to = api, op = "GET /try", rate = "3/s", batch = 3, arrivals = "constant" }

for _, a in ipairs(anomalies) do
  expect(a[1] .. (a[2][isolation] and " is let through" or " is kept out")) {
    at_end = a[2][isolation] and happened(a[1]) or nil,
    never = not a[2][isolation] and happened(a[1]) or nil,
  }
end
expect "and no error but serialization failures" { never = happened "another error" }
expect "nothing is left open" { at_end = db.transactions:equals(0) }
