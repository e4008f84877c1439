-- Transactions as clients and the engine know them: lists, registers and SQL, at each isolation
-- level. Two read two rows each and write one, at once: write skew, unless it is kept out; and
-- lost updates, of what was read before.
scenario "An isolation level lets through what it says" { duration = "4s" }

local isolation = param("isolation", { "read committed", "repeatable read", "serializable" })
local kind = param("kind", { "lists", "registers", "sql" })

local db = database "accounts" {
  query_time = "1ms",
  schema = kind == "sql" and "create table t(id integer primary key, v)" or nil,
  seed = kind == "sql" and "insert into t values (1, 0), (2, 0), (3, 0), (4, 0)" or nil,
}

local function work(tx, a, b, n)
  if kind == "lists" then
    tx:read(a)
    tx:read(b)
    tx:append(b, n)
  elseif kind == "registers" then
    tx:read(a)
    tx:read(b)
    tx:write(b, n)
  else
    tx:sql("select id, v from t where id in (?, ?)", { a, b })
    tx:sql("update t set v = ? where id = ?", { n, b })
  end
end

local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      local a, b = 1 + req.key % 4, 1 + (req.key + 1 + req.key // 4 % 3) % 4
      req:transaction({ db, isolation = isolation, retries = 2, timeout = "2s" }, function(tx)
        work(tx, a, b, req.key)
      end)
      return 200
    end,
  },
}
traffic "users" { to = api, op = "POST /", rate = "150/s" }

expect "nothing is lost and nobody is skewed" { serializable = db }
expect "reads are snapshots" { serializable = db, consistency = "snapshot-isolation" }
expect "nothing dirty is read" { serializable = db, consistency = "read-committed" }
