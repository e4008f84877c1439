-- A row's key is whole: a share drawn by rand() is none, and the message says so in its words.
scenario "Accounts between accounts" { duration = "5s" }

local db = database "db" {}
local web = service "web" { handle = { ["POST /"] = function(req)
  local done = req:transaction({ db, timeout = "1s" }, function(tx)
    tx:write(1 + rand() * 5, 1)
  end)
  return done.ok and 200 or 503
end } }
traffic "users" { to = web, op = "POST /", rate = "10/s" }

expect "all is well" { always = web.errors.ratio:below "1%" }
