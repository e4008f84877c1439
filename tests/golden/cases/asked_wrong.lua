-- How calls of handlers are miswritten: a dot for the colon, parentheses for the braces.
local how = param("how", { "dot", "parentheses", "text" })
scenario "A call is written with a colon and braces" { duration = "5s" }

local db = database "db" {}
local web = service "web" { handle = { ["GET /"] = function(req)
  if how == "dot" then return req.call(db, "select").status end
  if how == "text" then return req:call("db").status end
  return req:call(db, "select").status
end } }
traffic "users" { to = web, op = "GET /", rate = "10/s" }

expect "all is well" { always = web.errors.ratio:below "1%" }
