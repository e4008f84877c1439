-- A key that many ask for: calls are about it, statements of a transaction keep theirs.
scenario "A hot key beside transactions" { duration = "20s" }

local db = database "db" { nodes = 1 }
local app = service "app" {
  handle = {
    ["POST /order"] = function(req)
      local done = req:transaction({ db, timeout = "1s" }, function(tx)
        tx:write(req.key, (tx:read(req.key) or 0) + 1)
      end)
      return done.ok and 200 or 503
    end,
    ["GET /order"] = function(req)
      return req:call { db, "read", key = req.key }.ok and 200 or 503
    end,
  },
}
traffic "buyers" { to = app, op = "POST /order", rate = "20/s", keys = dist.zipf { n = 100, skew = 1 } }
traffic "readers" { to = app, op = "GET /order", rate = "20/s", keys = dist.zipf { n = 100, skew = 1 } }
fault.hot_key { db, ratio = "90%", at = "5s", lasting = "5s" }
expect "all are answered" { at_end = app.errors.rate:equals "0/s", over = "15s" }
