-- SQL asked in ways that cannot be: each is an error of the script.
scenario "SQL is asked wrongly" { duration = "5s" }
local db = database "db" { schema = "create table t(id integer primary key)" }
local many = database "many" {
    nodes = 2, replication = "multi", schema = "create table t(id integer primary key)",
}
local plain = database "plain" {}
local which = param("which", { 1, 2, 3, 4, 5, 6, 7, 8, 9 })
local web = service "web" { handle = { ["GET /"] = function(req)
    if which == 1 then req:sql "select 1"
    elseif which == 2 then req:sql { plain, "select 1" }
    elseif which == 3 then req:sql { db, "select ?", { {} } }
    elseif which == 4 then req:sql { db, "select ?", 5 }
    elseif which == 5 then req:sql { db, "select 1", timeout = 5 }
    elseif which == 6 then
        req:transaction({ many, isolation = "serializable" }, function(tx) tx:sql "select 1" end)
    elseif which == 7 then req:transaction({ db }, function(tx) tx:read("x") end)
    elseif which == 8 then req:transaction({ plain }, function(tx) tx:sql "select 1" end)
    elseif which == 9 then req:call { db, "select 1" } end
end } }
traffic "u" { to = web, op = "GET /", rate = "2/s" }
expect "x" { always = web.errors.ratio:below "1%" }
