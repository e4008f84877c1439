scenario "What histories are asked wrongly" { duration = "5s" }
local plain = database "plain" {}
local sql = database "sql" { schema = "create table t(id integer primary key, v)" }
local api = service "api" { calls = { call { plain, "write" }, call { sql, "select * from t" } } }
traffic "u" { to = api, rate = "1/s" }
expect "a level without transactions" { linearizable = plain, consistency = "serializable" }
expect "a level that there is not" { serializable = plain, consistency = "snapshot" }
expect "rows have no columns" { conserved = plain, column = "t.v" }
expect "which column" { conserved = sql }
expect "no table" { conserved = sql, column = "v" }
expect "a column of what" { serializable = sql, column = "t.v" }
local kafka = broker "kafka" {}
local orders = topic "orders" { on = kafka }
traffic "shop" { to = orders, rate = "1/s" }
expect "only of a log" { serializable = plain, tolerates = { "duplicate" } }
expect "never lost" { log_intact = orders, tolerates = { "lost-write" } }
expect "no topic" { log_intact = plain }
