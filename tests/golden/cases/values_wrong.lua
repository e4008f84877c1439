scenario "What a call cannot carry" { duration = "10s" }

local db = database "db" { nodes = 1 }

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      req:call { db, "write", key = req.key, value = 1.5 }
    end,
  },
}

traffic "users" { to = web, rate = "10/s" }
expect "all of it is answered" { at_end = web.errors.ratio:equals(0) }
