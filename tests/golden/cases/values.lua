scenario "What a call carries" { duration = "10s" }

local db = database "db" { nodes = 1 }

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      local written = req:call { db, "write", key = "user:" .. req.key % 3, value = "a name" }
      local got = req:call { db, "read", key = "user:" .. req.key % 3 }
      local n = req:call { db, "write", key = 5, value = -12 }
      return written.ok and got.value == "a name" and n.ok and 200 or 500
    end,
  },
}

traffic "users" { to = web, rate = "10/s" }

expect "all of it is answered" { at_end = web.errors.ratio:equals(0) }
