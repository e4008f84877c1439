-- Connections break at a replica's door: for some requests before they come in, for others once
-- they are served, which their callers cannot know. Answers are held, and chosen by their status.
scenario "Requests are reset, and answers" { duration = "70s", warmup = "2s" }

local ledger = service "ledger" { listen = 80, concurrency = 100, service_time = "1ms",
    handle = { ["POST /pay"] = function() return 201 end,
               ["GET /price"] = function() return 200 end } }
local shop = service "shop" {
  calls = { call { ledger, "POST /pay", timeout = "1s", retries = 1, backoff = "10ms" } },
}
local get = traffic "get" { to = ledger, op = "GET /price", rate = "50/s", arrivals = "constant",
    timeout = "1s" }
local buyers = traffic "buyers" { to = shop, rate = "50/s", arrivals = "constant", timeout = "1s" }

local first = fault.http_reset { ledger, path = "/price", method = "GET", ratio = "50%", port = 80,
    at = "5s", lasting = "9s" }
local done = fault.http_reset { ledger, side = "answer", of_status = 201, at = "20s",
    lasting = "9s" }
local late = fault.http_delay { ledger, side = "answer", of_status = 200, add = "100ms",
    at = "35s", lasting = "9s" }
local wrong = fault.http_replace { ledger, of_status = 201, status = 500, at = "50s",
    lasting = "5s" }
-- Of one that has been replaced there is no 201 left, and none of these is wrong.
local chained = fault.http_reset { ledger, side = "answer", of_status = 500, at = "52s",
    lasting = "3s" }

expect "half of what is meant is reset" {
  sometimes = get.errors.ratio:between("40%", "60%"), during = first,
}
expect "and counted where it was" { sometimes = ledger.errors.ratio:above "15%", during = first }
expect "others are not" { always = buyers.errors.ratio:equals "0%", during = first }
expect "whoever pays sees it fail" {
  sometimes = buyers.errors.ratio:equals "100%", during = done,
}
expect "and has paid, for all the ledger knows" {
  always = ledger.errors.ratio:equals "0%", during = done,
}
expect "twice" { sometimes = ledger.rate:at_least "149/s", during = done }
expect "what is asked for is not" { always = get.errors.ratio:equals "0%", during = done }
expect "an answer is late for its caller" {
  sometimes = get.latency.p50:above "100ms", during = late,
}
expect "not another's" { always = buyers.latency.max:below "50ms", during = late }
expect "nor for the replica" { always = ledger.latency.max:below "50ms", during = late }
expect "what is replaced may be reset after it" {
  sometimes = buyers.errors.ratio:equals "100%", during = wrong,
}
expect "nothing is left of it" { always = shop.errors.ratio:equals "0%",
    during = { after = "56s", lasting = "14s" } }
