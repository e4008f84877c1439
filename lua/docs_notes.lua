--- What verdict words, words of faults and fields mean that deserve more than their line in
--- schema.lua: an entry each, as in docs_words.lua.
return {
    always = { is_verdict = true,
        text = "Passes when every sample outside `except` satisfies the matcher. No sample "
        .. "at all is inconclusive. Gauges are judged by their adverse extreme.",
        example = [[expect "few errors" { always = web.errors.ratio:below "1%" }]] },
    never = { is_verdict = true,
        text = "Passes when no sample satisfies the matcher: the mirror of `always`.",
        example = [[expect "no flood" { never = web.queue.length:above(500) }]] },
    eventually = { is_verdict = true,
        text = "Passes when the matcher becomes true by `after` + `within`, and stays "
        .. "true for `holding`. The deadline is required.",
        example = [[
expect "errors go away" {
  eventually = web.errors.ratio:below "1%", after = outage, within = "30s",
}]] },
    at_end = { is_verdict = true,
        text = "Passes when the matcher is true at the end of the run: of what counts "
        .. "(lost_acks), or has a level (replicas.ready), as it stands then; of what is in use "
        .. "(cpu) over the last second; of ratios, rates and quantiles over the whole run "
        .. "from warm-up on, and with `over` over so much at its end: "
        .. "at_end = web.errors.ratio:below \"1%\", over = \"30s\".",
        example = [[expect "all are back" { at_end = web.replicas.ready:equals(4) }]] },
    sometimes = { is_verdict = true,
        text = "Passes when the matcher was true at least once. Never true is "
        .. "inconclusive: what was to be tested did not take place.",
        example = [[expect "a replica takes over" { sometimes = db.failovers:at_least(1) }]] },
    at = { text = "An instant, counted from the start of the run." },
    lasting = { text = "The length of something (`for` and `until` are words of Lua)." },
    every = { text = "A period. For a fault it needs a `lasting` that is shorter." },
    after = { text = "An anchor: a fault (its start), fault.ends, happened \"mark\", or an "
        .. "instant such as \"4m\"." },
    within = { text = "A deadline, counted from the anchor." },
    holding = { text = "What becomes true must stay true this long to count." },
    during = { text = "Only inside this window, or these windows. A fault with `lasting` "
        .. "is such a window, until a drive stops it where that is sooner, each time if it has "
        .. "`every`: during = slow." },
    except = { text = "Everywhere but inside this window, or these windows. A fault with "
        .. "`lasting` is such a window, until a drive stops it where that is sooner, each time "
        .. "if it has `every`: except = outage." },
    over = { text = "The window over which a metric is averaged, or in which an SLO counts." },
    timeout = { text = "One caller's patience, for each attempt. It does not stop work that was "
        .. "already sent, unless `cancel = true`." },
    overall_timeout = { text = "Patience for the whole call: attempts, waits between them, "
        .. "hedges. Envoy's route timeout, as against its per_try_timeout; gRPC's deadline. "
        .. "When it is over the call ends with a timeout, even while it waits to try again." },
    retry_on = { text = "Which ends of an attempt are tried again: outcomes (error, refused, "
        .. "reset, timeout) and statuses. An attempt that a breaker or throttling rejected "
        .. "never is." },
    retry_budget = { text = "Per calling replica. A share, such as \"10%\": a bucket of 10 "
        .. "tokens, to which each first attempt adds its share and of which a retry takes one "
        .. "(SRE book, chapter 21). Or the bucket itself: AWS' SDKs have { tokens = 500, cost "
        .. "= 5, timeout_cost = 10, per_success = 1, refund = true }, gRPC { tokens = 10, "
        .. "per_failure = 1, per_success = 0.1, cost = 0, above = 5 }, Envoy { of_active = "
        .. "\"20%\", at_least = 3 }. A hedged request costs what a retry does. \"off\" means "
        .. "no limit.",
        example = [[
traffic "payers" { to = web, rate = "9/s",
  retries = 2, retry_budget = { tokens = 5, per_call = 0.1 } }]] },
    breaker = { text = "A circuit breaker per calling replica: it opens after `consecutive` "
        .. "failures, or at `ratio` of at least `volume` calls; for `open` nothing passes, "
        .. "then `probes` calls decide. The default is Hystrix'; resilience4j's is { calls = "
        .. "100, open = \"60s\", probes = 10 }. What it rejects is refused with status 503 and "
        .. "was never on its way.",
        example = [[
traffic "payers" { to = web, rate = "9/s",
  breaker = { consecutive = 5, open = "10s" } }]] },
    throttle = { text = "Adaptive throttling (SRE book, chapter 21): once a caller asks for "
        .. "more than `k` times what is accepted, it rejects requests itself, so that a callee "
        .. "that can do C sees about k C. With a `k` near 1 the way back from a burst is long.",
        example = [[traffic "payers" { to = web, rate = "9/s", throttle = { k = 2 } }]] },
    hedge = { text = "When a request has taken `after`, or longer than that quantile of the "
        .. "answers of the last ten seconds, another goes to another replica; the first good "
        .. "answer wins and the others are cancelled (Dean and Barroso, The Tail at Scale, "
        .. "CACM 2013). Tied requests tell each other: what still waits in a queue when "
        .. "another begins is forgotten. A failure brings the next one forward, as in gRPC.",
        example = [[traffic "payers" { to = web, rate = "9/s", hedge = { after = "p95" } }]] },
    fan_out = { text = "The call is made so often side by side, each with retries and hedging "
        .. "of its own, and is good when `enough` are. It fails as soon as that cannot be any "
        .. "more." },
    single_flight = { text = "Of the calls that one replica makes about one key, only the first "
        .. "is made; those that begin while it is under way wait and take its answer, good or "
        .. "bad, and send nothing: no connection, no place in a bulkhead, nothing that a breaker "
        .. "sees. They leave at their own overall_timeout or deadline; when the one they wait for "
        .. "is cancelled, the next makes the call. Go's singleflight, Varnish's request "
        .. "coalescing, nginx' proxy_cache_lock; shared.ratio says how many. In a handler "
        .. "req:once does the same for anything.",
        example = [[
local db = database "db" { nodes = 1 }
service "shop" { calls = { call { db, "get item", single_flight = true } } }]] },
    through = { text = "Cache-aside. A call that reads (its operation begins with get, select, "
        .. "...) gets from the cache first, and is answered by a hit; on a miss it is made, and "
        .. "what it brought is set. One that writes is made, and then its key deleted from the "
        .. "cache. A cache that does not answer is left out. With `single_flight` the calls of one "
        .. "replica about one key share all of it. With `beta` a value is made anew before it "
        .. "runs out, by e^(1/beta) callers however many ask: XFetch (Vattani, Chierichetti, "
        .. "Lowenstein, VLDB 2015).",
        example = [[
local db = database "db" { nodes = 1 }
local redis = cache "redis" { entries = 1000 }
service "shop" {
  calls = { call { db, "get item", through = call { redis, ttl = "1m", beta = 1 } } },
}]] },
    schema = { text = "Tables of a database, as SQL. With them it is a real SQLite on each of its "
        .. "nodes, in the memory of the run: handlers ask it by req:sql, declared calls name a "
        .. "statement in which :key is what the request is about. A commit ships the rows it "
        .. "changed, as they were and are; replicas replay them. random() and the row ids SQLite "
        .. "chooses come from the seed, 'now' is 2000-01-01 and the clock of the node's host. "
        .. "Power lost under a fault of the disk leaves what SQLite finds on it; a node whose "
        .. "file is not whole serves nothing until it is rebuilt (metric `corrupt`). Transactions "
        .. "have all three isolation levels; a serializable one is said to have read the tables "
        .. "that it names, as PostgreSQL says of a sequential scan, or the row that it changes "
        .. "by its rowid: more of them begin again than with PostgreSQL's row locks.",
        example = [[
local orders = database "orders" { nodes = 3,
  schema = "create table orders(id integer primary key, cents int)" }
service "shop" { handle = { ["POST /order"] = function(req)
  local r = req:sql { orders, "insert into orders(cents) values (?)", { 120 }, timeout = "1s" }
  if not r.ok then return 503 end
  local all = req:sql { orders, "select count(*) as n from orders" }:must()
  log("order %d of %d", r.last_id, all.rows[1].n)
end } }]] },
    outliers = { text = "Envoy's outlier detection, with its defaults: after so many failures "
        .. "in a row a caller leaves a replica alone, the n-th time in a row n times as long.",
        example = [[
traffic "payers" { to = web, rate = "9/s",
  outliers = { failures = 3 } }]] },
    zone_aware = { text = "Replicas of the caller's own zone first, then of its region, then "
        .. "the rest. While fewer than 72 % of the near ones are alive, the others take what "
        .. "is too much for them: Envoy's priority levels, overprovisioned by 1.4." },
    slow_start = { text = "A replica that comes back begins with little of its weight and "
        .. "gains the rest over the window (Envoy's slow start)." },
}
