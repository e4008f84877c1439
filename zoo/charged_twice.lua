-- A shop retries what was not answered in time; the payment was made all the same, and the second
-- attempt makes it again. Nobody sees an error. Repaired, each attempt carries the order it is for,
-- and the ledger takes an order once.
--
-- Stripe's API has idempotency keys for it (stripe.com/blog/idempotency, 2017); why nothing else
-- will do: Helland, "Idempotence Is Not a Medical Condition" (ACM Queue, 2012).
scenario "An order is charged once, however often it is asked for" {
  about = "Broken: a retry is another payment. Repaired: the order is a unique key.",
  tags = { "zoo" }, duration = "40s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local ledger = database "ledger" {
  query_time = "5ms",
  schema = "create table charges(id integer primary key, paid_for integer, cents integer);"
    .. (form == "repaired" and "create unique index once on charges(paid_for);" or ""),
}
local payments = service "payments" {
  replicas = 2,
  handle = {
    ["POST /charge"] = function(req)
      local paid = req:sql { ledger,
        "insert into charges(paid_for, cents) values (?, 100) on conflict do nothing",
        { req.key }, timeout = "2s" }
      return paid.ok and 201 or 503
    end,
    ["GET /audit"] = function(req)
      local r = req:sql { ledger, timeout = "2s",
        "select count(*) - count(distinct paid_for) as extra from charges" }
      if r.ok and r.rows[1].extra > 0 then mark "charged twice" end
      return r.ok and 200 or 503
    end,
  },
}
local shop = service "shop" {
  replicas = 2, calls = { call { payments, "POST /charge", timeout = "300ms", retries = 3 } },
}
local buyers = traffic "buyers" { to = shop, rate = "30/s", timeout = "5s" }
traffic "audit" { to = payments, op = "GET /audit", rate = "1/s" }

drive("answers are late", function()
  sleep(dur("10s") + dur("5s") * rand())
  fault.latency { shop, payments, direction = "from", add = dist.exponential { mean = "100ms" },
                  lasting = "5s" }
end)

expect "nobody is charged twice" { never = happened "charged twice" }
expect "and nobody is turned away for it" { always = buyers.success.ratio:above "90%" }
