scenario "Rows are no keys" { duration = "10s" }
local orders = database "orders" { schema = "create table t(id integer primary key, token int)" }
traffic "writers" { to = orders, op = "insert into t(token) values (1)", rate = "5/s" }
expect "only who holds the lock writes" { fenced = orders }
