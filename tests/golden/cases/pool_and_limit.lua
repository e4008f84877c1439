-- A caller's pool stands before the database's limit: who is in line for the one has taken nothing
-- of the other. 300 a second of 50 ms want 15 connections; a pool of 10 carries 200 a second.
--
-- small   10 of 12 are ever asked for, so that nobody is refused
-- large   40, of which the database has 12: those are full, and the others refused, or in its line
-- Statements of a transaction keep theirs until it ends.
local pool = param("pool", { "small", "large" })
local how = param("how", { "call", "transaction" })
local full = param("full", { "wait", "refuse" })

scenario "A pool spares the database what does not fit into it" { duration = "30s", warmup = "5s" }

local db = database "db" { query_time = "50ms", max_connections = 12, when_full = full }
local options = { db, "select", timeout = "1s", pool = { max = pool == "small" and 10 or 40 } }
local web = service "web" {
  concurrency = 64,
  handle = { ["GET /"] = function(req)
    if how == "call" then return req:call(options).ok and 200 or 503 end
    options[2] = nil
    local r = req:transaction(options, function(tx) tx:read(req.key) end)
    return r.ok and 200 or 503
  end },
}
traffic "users" { to = web, op = "GET /", rate = "300/s", timeout = "2s" }

if pool == "small" then
  expect "never more than the pool" { always = db.connections:at_most(10) }
  expect "nobody is refused" { always = db.connections.refused:equals(0) }
  expect "nor waits for one of the database's" { always = db.connections.wait.max:below "1ms" }
else
  expect "all are in use" { sometimes = db.connections:equals(12) }
  expect "never more than there are" { always = db.connections:at_most(12) }
  if full == "refuse" then
    expect "some are refused" { at_end = db.connections.refused:above(100) }
  else
    expect "some wait" { at_end = db.connections.wait.max:above "50ms" }
  end
end
