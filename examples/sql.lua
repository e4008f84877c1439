-- SQL: each node is a real SQLite, and a commit is what a handler knows of it. An order is paid
-- once or not at all, whatever happens to its nodes. Run: lorenz run examples/sql.lua
scenario "Orders are paid once, whoever leads" { duration = "60s", warmup = "5s" }

local db = database "shop-db" {
  nodes = 3, replication = "sync", query_time = "2ms",
  failover = { detect = "3s", promote = "2s" },
  schema = [[
    create table customers(id integer primary key, cents integer not null check (cents >= 0));
    create table orders(
      id integer primary key,
      customer integer not null references customers(id),
      cents integer not null,
      at text not null default current_timestamp
    );
  ]],
  seed = [[
    with recursive n(id) as (values(1) union all select id + 1 from n where id < 100)
    insert into customers select id, 100000 from n;
  ]],
}

local shop = service "shop" {
  replicas = 3,
  handle = {
    ["POST /order"] = function(req)
      local who, cents = 1 + req.key % 100, 100
      local r = req:transaction({ db, timeout = "1s", retries = 2 }, function(tx)
        tx:sql("insert into orders(id, customer, cents) values (?, ?, ?)", { req.key, who, cents })
        tx:sql("update customers set cents = cents - ? where id = ?", { cents, who })
      end)
      return r.ok and 201 or 503
    end,
    -- What was taken from customers is what their orders say.
    ["GET /balance"] = function(req)
      local r = req:sql { db, [[
        select 100 * 100000 - (select sum(cents) from customers) as taken,
               (select coalesce(sum(cents), 0) from orders) as ordered]], timeout = "1s" }
      if not r.ok then return 503 end
      local row = r.rows[1]
      if row.taken ~= row.ordered then mark "the books do not balance" end
      return 200
    end,
  },
}
local buyers = traffic "buyers" { to = shop, op = "POST /order", rate = "50/s", timeout = "3s" }
traffic "auditors" { to = shop, op = "GET /balance", rate = "2/s" }

local crash = fault.kill { db.primary, at = "20s", lasting = "10s" }

expect "the books always balance" { never = happened "the books do not balance" }
expect "no paid order is lost" { always = db.lost_acks:equals(0) }
expect "shoppers are served again within 10 s" {
  eventually = buyers.success.ratio:above "99%", after = crash, within = "10s", holding = "15s",
}
