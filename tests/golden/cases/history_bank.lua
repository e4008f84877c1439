-- Money is moved between four accounts by reading both and writing both; auditors read all four.
-- With read committed two transfers may start from the same balance, and money is made or lost;
-- not so if the later one fails, or if the rows are locked when they are read.
scenario "Money is neither made nor lost" { duration = "6s" }

local form = param("form", { "read committed", "repeatable read", "locked" })
local kind = param("kind", { "rows", "sql" })
local speaks = kind == "sql"
local isolation = form == "locked" and "read committed" or form

local db = database "bank" {
  schema = speaks and "create table accounts(id integer primary key, balance integer)" or nil,
  seed = speaks and "insert into accounts values (1, 100), (2, 100), (3, 100), (4, 100)" or nil,
}

local function balance(tx, account)
  if speaks then
    if form == "locked" then -- what SELECT ... FOR UPDATE is for
      tx:sql("update accounts set balance = balance where id = ?", { account })
    end
    return tx:sql("select id, balance from accounts where id = ?", { account }).rows[1].balance
  end
  return form == "locked" and tx:lock(account) or tx:read(account)
end

local function set(tx, account, to)
  if speaks then
    tx:sql("update accounts set balance = ? where id = ?", { to, account })
  else
    tx:write(account, to)
  end
end

local function audit(tx)
  if speaks then return tx:sql "select id, balance from accounts" end
  return tx:scan(1, 4)
end

local api = service "api" {
  handle = {
    ["POST /open"] = function(req)
      if speaks then return 200 end
      return req:transaction({ db }, function(tx)
        for account = 1, 4 do tx:write(account, 100) end
      end).ok and 200 or 500
    end,
    ["POST /transfer"] = function(req)
      local from, to = 1 + req.key % 4, 1 + (req.key + 1 + req.key // 4 % 3) % 4
      if from > to then from, to = to, from end
      req:transaction({ db, isolation = isolation, timeout = "1s" }, function(tx)
        local a, b = balance(tx, from), balance(tx, to)
        if not a or not b then tx:rollback() end
        set(tx, from, a - 1)
        set(tx, to, b + 1)
      end)
      return 200
    end,
    ["GET /audit"] = function(req)
      req:transaction({ db, isolation = "repeatable read", timeout = "1s" }, audit)
      return 200
    end,
  },
}
traffic "opening" { to = api, op = "POST /open", rate = shape.steps { { "0s", "1/s" }, { "1100ms", "0/s" } },
  arrivals = "constant" }
traffic "clients" { to = api, op = "POST /transfer", rate = "100/s" }
traffic "auditors" { to = api, op = "GET /audit", rate = "20/s" }

expect "no money is made or lost" { conserved = db, column = speaks and "accounts.balance" or nil }
