-- Thirty clients that query for 10 ms and think for 90, each on a connection of its own that it
-- keeps, before a database with a pool of ten: by session ten of them have all there is, by
-- transaction it is enough for all; by statement a transaction is refused.
local mode = param("mode", { "session", "transaction", "statement" })

scenario "A pool is as large as its mode lets it be" {
  duration = "20s",
}

local db = database "db" {
  query_time = "10ms", pool = { mode = mode, size = 10, max_clients = 31, queue_timeout = "2s" },
}
local api = service "api" { replicas = 30, concurrency = 1, service_time = "0s", handle = {
  ["GET /"] = function(req)
    local r = req:call { db, "read cart", timeout = "5s", pool = { max = 1 } }
    req:sleep "90ms"
    return r.status
  end,
} }
local clerk = service "clerk" { handle = { ["POST /order"] = function(req)
  local r = req:transaction({ db, timeout = "5s" }, function(tx)
    tx:write("order", (tx:read "order" or 0) + 1)
  end)
  if r.code then log("%s %s", r.code, r.error) end
  return r.status
end } }
local users = traffic "users" { to = api, op = "GET /", arrivals = "closed", users = 30 }
traffic "orders" { to = clerk, op = "POST /order", rate = "0.2/s", arrivals = "constant" }

expect "all are served" { at_end = users.success.ratio:at_least "100%" }
expect "nobody gives up" { at_end = db.pool.timeouts:equals(0) }
expect "there is no larger pool" { always = db.pool.used:at_most(10) }
if mode == "statement" then
  expect "no transaction" { at_end = db.acked:equals(0) }
end
