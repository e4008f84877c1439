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
local redis = cache "redis" { entries = 10 }
local shop = service "counting" { handle = { ["POST /like"] = function() return 200 end } }
traffic "fans" { to = shop, op = "POST /like", rate = "1/s" }
expect "a service must say" { counter = shop }
expect "a service must say what reads" { set = shop, adds = { "POST /like" } }
expect "a cache has its own" { counter = redis, adds = { "incr" } }
expect "not of ids" { unique_ids = shop, generates = { "POST /like" }, reads = { "GET /" } }
expect "no such handler" { counter = shop, adds = { "POST /lik" } }
expect "a list" { counter = shop, adds = "POST /like" }
expect "of what" { linearizable = plain, per_key = true }
local files = store "files" {}
expect "no search" { fenced = files, steps = 10 }
expect "no time" { fenced = files, within = "5s" }
expect "no level" { fenced = files, consistency = "serializable" }
expect "of what a lock protects" { fenced = api }
expect "a truth" { fenced = store "others" { checks_tokens = "no" } }
