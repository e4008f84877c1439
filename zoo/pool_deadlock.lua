-- Each request has a connection for its transaction, and asks the same pool for a second one while
-- it holds the first: to log, or for the next number of a sequence. With as many requests at once
-- as there are connections, all hold one and all wait for another, and none ever comes: until their
-- patience ends, though the database does nothing. A moment in which it stood still is enough:
-- those who have waited for it begin together.
--
-- HikariCP's wiki, "About Pool Sizing", calls it pool-locking, and says how many are enough: with
-- Tn threads, each holding Cm at once, Tn x (Cm - 1) + 1. Ten and two make eleven.
scenario "Ten workers need eleven connections" {
  about = "Broken: a pool of 10. Repaired: one of 11, so that somebody always goes on.",
  tags = { "zoo" }, duration = "30s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local db = database "db" { query_time = "5ms" }
local options = { db, timeout = "5s", pool = { max = form == "broken" and 10 or 11 } }
local shop = service "shop" {
  concurrency = 10,
  handle = { ["POST /"] = function(req)
    local order = req:transaction(options, function(tx)
      tx:write(req.key, 1)
      req:transaction(options, function(log) log:read(req.key) end)
    end)
    return order.ok and 201 or 503
  end },
}
local buyers = traffic "buyers" { to = shop, op = "POST /", rate = "200/s", timeout = "10s" }

drive("a moment's pause, after which all begin together", function()
  sleep(dur("8s") + dur("4s") * rand())
  fault.pause { db, lasting = "200ms" }
end)

expect "nobody waits for who waits for him" { always = buyers.latency.max:below "2s" }
expect "and all are served" { always = buyers.errors.ratio:equals "0%" }
