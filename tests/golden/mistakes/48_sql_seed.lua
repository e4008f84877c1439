scenario "Rows that do not fit" { duration = "1m" }
local db = database "orders-db" { schema = "create table orders(id integer primary key)",
    seed = "insert into orders values (1), (2), (1)" }
local other = database "plain" { seed = "insert into x values (1)" }
local third = database "third" { schema = "create table t(x)",
    seed = "attach 'file:/etc/passwd' as p" }
local fourth = database "fourth" { schema = "create table t(x)" }
local web = service "web" { calls = { call { fourth, "insert into t values (:key), (other)" } } }
traffic "users" { to = web, rate = "10/s" }
traffic "direct" { to = fourth, rate = "10/s" }
local fifth = database "fifth" { schema = "create table t(x)" }
service "pay" { calls = { call { fifth, "select 1", transaction = { reads = 1, writes = 1 } } } }
