-- D06, requests that need several connections at once: with Tn of them, each needing Cm, a pool of
-- Tn (Cm - 1) + 1 always lets one of them finish, and one less can leave each with Cm - 1 and
-- waiting (HikariCP's wiki, "About Pool Sizing": 3 and 4 need 10, 8 and 3 need 17).
local setup = param("setup", { "3x4", "8x3" })
local short = param("short", { 0, 1 })
local threads, each = setup:match "(%d+)x(%d+)"
threads, each = math.tointeger(threads), math.tointeger(each)
local bound = threads * (each - 1) + 1

scenario "A pool may be too small for what one request needs" { duration = "1m" }

local db = database "db" { max_connections = bound - short }

local function nest(req, depth)
  return req:transaction({ db, timeout = "5s" }, function(tx)
    tx:read(depth)
    if depth < each and not nest(req, depth + 1).ok then tx:rollback() end
  end)
end

local api = service "api" { concurrency = threads, handle = {
  ["GET /"] = function(req) return nest(req, 1).ok and 200 or 503 end,
} }
local users = traffic "users" { to = api, op = "GET /", arrivals = "closed", users = threads }

if short == 0 then
  expect "at the bound nobody is left without" { at_end = users.success.ratio:at_least "100%" }
  expect "and work is done" { at_end = users.rate:above "50/s" }
else
  expect "below it all of them wait for each other" {
    eventually = db.connections:at_least(bound - 1), after = "0s", within = "10s", holding = "3s",
  }
  expect "until they give up" { at_end = users.success.ratio:below "100%" }
end
