-- What a producer with a transactional id has not, and what only it has.
scenario "Transactional ids" { duration = "1m", warmup = "5s" }
local kafka = broker "kafka" { nodes = 3 }
local other = broker "other" {}
local orders = topic "orders" { on = kafka }
local payments = topic "payments" { on = kafka }
local audit = topic "audit" { on = other }
local web = service "web" {}

traffic "one" { to = orders, rate = "5/s", also_to = { payments } }
traffic "two" { to = orders, rate = "5/s", aborts = "5%", transaction_timeout = "5s" }
traffic "three" { to = orders, rate = "5/s", transactional_id = "t", acks = "leader" }
traffic "four" { to = orders, rate = "5/s", transactional_id = "t", linger = "5ms", retries = 3 }
traffic "five" { to = web, rate = "5/s", transactional_id = "t" }
traffic "six" { to = orders, rate = "5/s", transactional_id = "" }
traffic "seven" { to = orders, rate = "5/s", transactional_id = "t", also_to = { web } }
traffic "eight" { to = orders, rate = "5/s", transactional_id = "t", transaction_timeout = "16m" }
consumers "nine" { of = orders, transactions = true, transaction_timeout = "16m", handle = function() end }
expect "something" { at_end = web.errors.ratio:below "1%" }
