-- What happens to requests at a replica's door: which are touched, and what of it is seen where.
scenario "Faults at the door touch the requests they mean" { duration = "2m", warmup = "10s" }

local db = database "db" { query_time = "1ms" }
local web = service "web" { concurrency = 100, service_time = "1ms" }
local shop = service "shop" { calls = { call { db, "read", timeout = "1s" } } }

local get = traffic "get" { to = web, op = "GET /price/1", rate = "50/s", arrivals = "constant",
    timeout = "1s" }
local post = traffic "post" { to = web, op = "POST /order", rate = "50/s", arrivals = "constant",
    timeout = "1s" }
local buyers = traffic "buyers" { to = shop, rate = "50/s", arrivals = "constant", timeout = "1s" }

local first = fault.http_abort { web, method = "POST", first = 10, at = "20s", lasting = "9s" }
local nth = fault.http_abort { web, path = "/price/*", nth = 10, status = 503, at = "30s",
    lasting = "9s" }
local share = fault.rpc_status { web, code = "NOT_FOUND", ratio = "20%", at = "40s",
    lasting = "9s" }
local late = fault.http_delay { web, add = "300ms", method = "GET", at = "50s", lasting = "9s" }
local wrong = fault.http_replace { db, status = 500, at = "1m", lasting = "9s" }
local limit = fault.throttle { web, rate = "20/s", burst = 5, at = "70s", lasting = "9s" }
local waf = fault.waf_false_positive { web, ratio = "50%", path = "/order", at = "80s",
    lasting = "9s" }

local function within(f) return { after = f, lasting = "9s" } end

expect "the first ten fail, and no more" {
  sometimes = post.errors.ratio:equals "20%", during = within(first),
}
expect "other methods do not" { always = get.errors.ratio:equals "0%", during = within(first) }
expect "every tenth is refused" { always = get.errors.ratio:equals "10%",
    during = { after = "31s", lasting = "8s" } }
expect "refusals are shed" { always = web.shed.ratio:equals "5%",
    during = { after = "31s", lasting = "8s" } }
expect "a share is drawn" { sometimes = get.errors.ratio:between("15%", "25%"), over = "8s",
    during = within(share) }
expect "a held request is late for its caller" { sometimes = get.latency.p50:above "300ms",
    during = within(late) }
expect "and not for the replica" { always = web.latency.max:below "50ms", during = within(late) }
expect "what is replaced fails its caller" {
  sometimes = buyers.errors.ratio:equals "100%", during = within(wrong),
}
expect "and the database does not know" { always = db.errors.ratio:equals "0%" }
expect "a rate is a rate" { always = web.errors.rate:between("79/s", "81/s"),
    during = { after = "72s", lasting = "6s" } }
expect "a rule blocks what it means" { sometimes = post.errors.ratio:between("40%", "60%"),
    during = within(waf) }
expect "and nothing else" { always = get.errors.ratio:equals "0%", during = within(waf) }
expect "nothing is left of it" { always = web.errors.ratio:equals "0%",
    during = { after = "90s", lasting = "30s" } }
