-- What goes wrong inside a transaction's function is shown where it went wrong.
scenario "A transaction has no insert" { duration = "5s" }

local db = database "db" {}
local web = service "web" { handle = { ["POST /"] = function(req)
  local done = req:transaction({ db, timeout = "1s" }, function(tx)
    tx:write(req.key, 1)
    tx:insert(req.key, 2)
  end)
  return done.ok and 200 or 503
end } }
traffic "users" { to = web, op = "POST /", rate = "10/s" }

expect "all is well" { always = web.errors.ratio:below "1%" }
