scenario "A schema with a slip" { duration = "1m" }
local db = database "orders-db" {
    schema = [[
        create table orders(id integer primary key, cents integer);
        create table items(id integer primary key, order_id integre references orders(id),
                           unique order_id);
    ]],
}
local web = service "web" { calls = { call { db, "insert into orders values (:key, 5)" } } }
traffic "users" { to = web, rate = "10/s" }
