-- One mistake, one message: what is done with it afterwards says nothing.
scenario "x" { duration = "5m" }
local db = databse "db" { nodes = 3 }
for _, name in ipairs(db.names) do service(name) { replicas = 2 } end
for name, v in pairs(db) do service(name) { replicas = v } end
for i = 1, db.count do service("s" .. i) { replicas = 2 } end
