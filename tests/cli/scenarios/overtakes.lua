-- An order and its payment come from two places at once, and the payment is always a little later,
-- for its way is longer. Nobody noticed that nothing else keeps it behind.
scenario "A payment finds its order" { duration = "30s", seeds = 20 }

local orders, payments = 0, 0
local ledger = service "ledger" {
  handle = {
    ["PUT /order"] = function() orders = orders + 1 return 201 end,
    ["PUT /payment"] = function()
      payments = payments + 1
      return payments <= orders and 200 or 500
    end,
  },
}

local shop = service "shop" { calls = { call { ledger, "PUT /order" } } }
local bank = service "bank" { calls = { call { ledger, "PUT /payment" } } }
link { shop, ledger, latency = "200us" }
link { bank, ledger, latency = "300us" }
traffic "buyers" { to = shop, rate = "1/s", arrivals = "constant" }
traffic "payers" { to = bank, rate = "1/s", arrivals = "constant" }

expect "a payment finds its order" { always = ledger.errors.rate:equals "0/s" }
