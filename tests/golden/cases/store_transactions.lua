-- "Amazon DynamoDB Transactions: How it works", sentence by sentence; and money that is moved by
-- many at once, of which none is lost.
scenario "Several items at once, or none" { duration = "60s" }

local items = store "items" { kind = "key_value" }
local small = store "small" { kind = "key_value", read_capacity = 10, write_capacity = 3 }
local bank = store "bank" { kind = "key_value", put_time = dist.exponential { mean = "5ms" } }

local function check_that(what, ok) if not ok then error(what) end end

local web = service "web" {
  handle = {
    ["GET /rules"] = function(req)
      local function write(actions, token)
        return req:call { items, "transact_write", actions = actions, token = token }
      end
      local function read(...) return req:call { items, "transact_get", keys = { ... } }.values end
      local began = now()
      local r = write { { "put", key = "a", value = 10 }, { "put_if_absent", key = "b", value = 0 } }
      check_that("two phases of 5 ms", r.ok and now() - began >= dur "10ms")
      r = write({ { "increment", key = "a", value = -4, at_least = 0 },
        { "increment", key = "b", value = 4 } }, "order 1")
      check_that("both or none", r.ok and read("a", "b")[1] == 6 and read("a", "b")[2] == 4)
      r = write { { "increment", key = "a", value = -7, at_least = 0 },
        { "increment", key = "b", value = 7 } }
      check_that("a condition that fails", r.status == 400 and r.value == "ConditionalCheckFailed")
      check_that("undoes all", read("a", "b")[1] == 6 and read("a", "b")[2] == 4)
      r = write { { "check", key = "a", value = 6 }, { "check_absent", key = "z" },
        { "put_if_match", key = "b", match = 4, value = 5 } }
      check_that("checks", r.ok and read("b")[1] == 5)
      r = write({ { "increment", key = "a", value = -4, at_least = 0 },
        { "increment", key = "b", value = 4 } }, "order 1")
      check_that("a token repeats nothing", r.ok and read("a")[1] == 6)
      r = write({ { "delete", key = "a" } }, "order 1")
      check_that("nor means something else", r.value == "IdempotentParameterMismatch")
      check_that("what is not there is nil", read("a", "nobody", "b")[2] == nil)
      r = req:call { items, "put_if_match", key = "a", match = 5, value = 1 }
      check_that("a plain condition", r.status == 400 and r.value == 6)
      local ok, why = pcall(write, { { "put", key = "a", value = 1 }, { "delete", key = "a" } })
      check_that("one action for each item", not ok and tostring(why):find "one item")
      return 200
    end,
    -- Two items of 1 KiB are 4 units: of 900 that were saved 225 such pass.
    ["GET /units"] = function(req)
      local passed = 0
      for i = 1, 300 do
        local r = req:call { small, "transact_write", actions = {
          { "put", key = 2 * i, value = 1 }, { "put", key = 2 * i + 1, value = 1 } } }
        passed = passed + (r.ok and 1 or 0)
      end
      log("%d passed", passed)
      return passed >= 225 and passed <= 240 and 200 or 500
    end,
    ["POST /move"] = function(req)
      local from = 1 + req.key % 5
      local to = 1 + (from + req.key // 5 % 4) % 5
      local r = req:call { bank, "transact_write", timeout = "60ms", retries = 3, actions = {
        { "increment", key = from, value = -1, at_least = -1000 },
        { "increment", key = to, value = 1 } } }
      return r.ok and 200 or 409
    end,
    ["GET /sum"] = function(req)
      local r = req:call { bank, "transact_get", keys = { 1, 2, 3, 4, 5 } }
      local sum = 0
      for i = 1, 5 do sum = sum + (r.values and r.values[i] or 0) end
      return sum == 0 and 200 or 500
    end,
  },
}

local once = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } }
traffic "rules" { to = web, op = "GET /rules", rate = once, arrivals = "constant", timeout = "9s" }
traffic "units" { to = web, op = "GET /units", rate = once, arrivals = "constant", timeout = "30s" }
traffic "movers" { to = web, op = "POST /move", rate = "60/s", timeout = "1s", beside = true }
local readers = traffic "readers" { to = web, op = "GET /sum", rate = "5/s", timeout = "1s" }

fault.kill { bank.node[1], at = "20s", lasting = "5s" }
fault.pause { bank.node[2], at = "30s", lasting = "3s" }

expect "it is as DynamoDB says, and no money is made or lost" {
  never = readers.errors.ratio:above "0%", except = { after = "19s", lasting = "15s" },
}
expect "some get in each other's way" { at_end = bank.conflicts:above(50) }
expect "and most are done" { at_end = bank.transactions:above(2000) }
expect "what is cancelled is counted" { at_end = items.transactions.cancelled:equals(1) }
