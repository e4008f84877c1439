--- What the words of the language mean, one entry each: the text and example of its page.
---
--- Fields, types and defaults are in schema.lua, faults and metrics in the model's own tables;
--- here is only what no table knows. An entry has `text`, mostly an `example`, and for a word
--- that is called its `sign`: parameters and result as the types of an editor write them.
local M = {}

--- Blocks: kind "name" { ... }. The value of one that is silent is nothing.
M.blocks = {
    scenario = { is_silent = true,
        text = "Opens a file: the sentence that must hold, and how long the run is.",
        example = [[
scenario "Checkout survives losing the primary database" {
  tags = { "db", "tier-1" }, duration = "10m", warmup = "1m",
}]] },
    region = { text = "A place with zones.",
        example = [[
local eu = region "eu-west-1" { zones = { "a", "b", "c" }, latency = "600us" }
fault.down { eu.zone.a, at = "4m", lasting = "1m" }]] },
    host = { text = "A machine of its own, for what shares one. Without it every replica has one "
        .. "to itself.",
        example = [[local rack = host "rack-1" {}
fault.down { rack, at = "4m", lasting = "1m" }]] },
    service = { text = "A program that answers requests: replicas, each with workers and a queue.",
        example = [[
local web = service "web" {
  replicas = 4, concurrency = 64, service_time = "5ms",
  calls = { call { db, "select cart", timeout = "500ms", retries = 2 } },
}]] },
    balancer = { text = "A proxy before a service: spreads requests over replicas it thinks live.",
        example = [[local lb = balancer "lb" { to = web, policy = "least_requests" }]] },
    database = { text = "A primary and replicas with a replicated log, failover, and writes that "
        .. "may be lost.",
        example = [[
local db = database "orders-db" {
  nodes = 3, replication = "sync", failover = { detect = "5s", promote = "4s" },
}]] },
    consensus = { text = "Nodes that agree on the values of keys as long as a majority of them "
        .. "works: Raft, as in etcd and Consul. Calls read (get), write (put), compare and set "
        .. "(cas), delete, watch, and hold keys as locks (acquire, renew, release). Its leader is "
        .. "`.leader`, at first node[1].",
        example = [[
local etcd = consensus "etcd" { nodes = 3, heartbeat = "100ms", election = "1s" }
local api = service "api" { calls = { call { etcd, "put config", timeout = "2s" } } }
fault.kill { etcd.leader, at = "2m", lasting = "30s" }]] },
    transaction = { is_silent = true, text = "What `req:transaction` is asked for, in a handler: "
        .. "several statements on one connection to a database, all of them or none. Its function "
        .. "gets tx:read, tx:lock (SELECT ... FOR UPDATE), tx:write, tx:append (to a "
        .. "list, \"3,17\"), tx:delete, tx:scan and tx:rollback. Each is a round trip. A plain "
        .. "write is a transaction of its own, and holds its row's lock while it runs.",
        example = [[
service "shop" { handle = { ["POST /order"] = function(req)
  local r = req:transaction({ db, isolation = "serializable", retries = 3 }, function(tx)
    local left = tx:read("stock") or 10
    if left == 0 then tx:rollback() end
    tx:write("stock", left - 1)
  end)
  return r.ok and 200 or 503
end } }]] },
    traffic = { text = "Users: requests at a rate, each with its patience. Its metrics are what "
        .. "users see.",
        example = [[local users = traffic "users" { to = web, rate = "400/s", timeout = "2s" }]] },
    zone = { text = "One more zone of a region, declared by itself. Without `region` it is the "
        .. "default region's, over which everything is spread that names no place.",
        example = [[
local edge = zone "edge" {}
fault.down { edge, at = "4m", lasting = "1m" }]] },
    cloud = { text = "A provider with its own region: a place with zones that is put on, linked "
        .. "and lost as a whole. More regions may be its own: region { cloud = other }.",
        example = [[
local other = cloud "other" { region = "west", zones = { "a", "b" } }
local east = region "other-east" { cloud = other }
link { other, web, latency = "9ms" }
fault.down { other, at = "4m", lasting = "1m" }]] },
    gateway = { text = "An entry before services: a balancer with a firewall, a limit on what it "
        .. "lets through, and a cache, as the edge of a CDN has. Firewall and limit are at the "
        .. "door: what they refuse is shed and costs no work.",
        example = [[
local front = gateway "front" {
  to = web, limit = "500/s", burst = 100, waf = { blocked = "0.5%", latency = "1ms" },
  cache = { ttl = "30s", entries = 1000 },
}
local visitors = traffic "visitors" { to = front, rate = "10/s" }]] },
    cache = { text = "Keys in memory, as Redis has them: they run out, are evicted when it is "
        .. "full, and are gone with the process, but for what `persistence` keeps on its disk "
        .. "(AOF, RDB). Its operations are get, exists, set, setnx, del "
        .. "(with a value only if that is its value), incr, decr, expire, mget, mset, sadd and "
        .. "smembers (a text, the elements with commas between; of a set that is not there the "
        .. "empty one). What is asked of a key that holds something else is answered 400, as "
        .. "sadd of a text, get of a set. A set's text has at most 1 MiB. With "
        .. "mode = \"cluster\" keys are split over shards by Redis Cluster's 16384 slots: nodes "
        .. "send callers on (MOVED, ASK), shards fail over by gossip and votes, and slots can move "
        .. "while they serve. A miss, a lock that "
        .. "is taken: such answers are no failures; who asks looks at `ok`, and at `status` (404, "
        .. "409).",
        example = [[
local redis = cache "redis" { entries = 10000, ttl = "30s", nodes = 2 }
local shelf = service "shelf" {
  handle = {
    ["GET /"] = function(req)
      local hit = req:call { redis, "get", key = req.key, timeout = "20ms" }
      if not hit.ok then req:call { redis, "set", key = req.key, value = "x", ttl = "1m" } end
      return 200
    end,
  },
}]] },
    store = { text = "A managed store. Objects, as S3 keeps them (get, head, list, put, "
        .. "put_if_absent, put_if_match, delete; large ones in parts; 503 above 3500 writes or "
        .. "5500 reads per second and prefix; with versions `versions` and `restore`, get and "
        .. "delete take `version`), or items, as DynamoDB does (get, head, put, put_if_absent, "
        .. "put_if_match, increment, delete; transact_write of up to 100 `actions`, all or none, "
        .. "and transact_get; 400 above what was provisioned, or above 1000 writes or 3000 reads "
        .. "per second and partition; copies that may be behind). In several regions the last "
        .. "writer wins. Nodes are doors: what it has is never lost.",
        example = [[
local images = store "images" { prefixes = 4 }
local carts = store "carts" { kind = "key_value", read_capacity = 600, write_capacity = 200 }
service "shop" { calls = { call { carts, "put cart", timeout = "300ms", retries = 2 } } }]] },
    broker = { text = "Nodes that keep topics in copies, by Kafka's rules: who leads, who is in "
        .. "sync, what is lost with a node, and how long an election takes.",
        example = [[
local kafka = broker "kafka" { nodes = 3, election = "6s" }
fault.kill { kafka.node[2], at = "4m", lasting = "1m" }]] },
    topic = { text = "A log of records in partitions, kept by a broker in copies. Traffic writes "
        .. "to it as a producer, with batches, retries and acks; a handler by a call, with "
        .. "acks = \"all\" and the record's key and value. A record's partition is its key's "
        .. "murmur2, as Kafka has it. lost_acks counts what was acknowledged and is gone. The "
        .. "trace of a request whose handler has written a record goes on: append, replicate, and "
        .. "each group's poll and process.",
        example = [[
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 6, replication = 3, min_isr = 2 }
local shop = traffic "shop" { to = orders, rate = "1k/s", acks = "all", retries = 5 }
expect "nothing is lost" { at_end = orders.lost_acks:equals(0) }]] },
    consumers = { text = "A group that reads a topic, each partition by one member, with Kafka's "
        .. "sessions, rebalances and commits. duplicates and lost count, exactly, what was worked "
        .. "on twice or never; lag says how far behind it is, in records and in time.",
        example = [[
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 6 }
local readers = consumers "readers" {
  of = orders, members = 3, work = "2ms", commit = { every = "5s" },
}
expect "it keeps up" { always = readers.lag.time:below "10s" }]] },
    dns = { text = "A name that is answered with one of several, by health, and cached by "
        .. "resolvers. Traffic and calls go `to` it like to a service; each attempt asks its "
        .. "resolver. Its servers stand at the edge.",
        example = [[
local names = dns "shop.example" {
  answers = { web }, ttl = "30s", health = { every = "10s", fails = 3 },
  resolvers = { honour_ttl = "85%", stale_at_most = "15m" },
}
local visitors = traffic "visitors" { to = names, rate = "10/s" }]] },
    call = { text = "One call of a service to what it needs, in its list of `calls`: the target, "
        .. "the operation's name, and how patient the caller is.",
        example = [[
local api = service "api" {
  calls = { call { db, "write order", timeout = "800ms", retries = 2 } },
}]] },
    link = { text = "The network between two components or places. With fields it sets "
        .. "the network; without, link(a, b) names it for faults.",
        example = [[
link { web, db, latency = "2ms" }
fault.latency { link(web, db), add = "3ms", at = "7m", lasting = "1m" }]] },
    expect = { is_silent = true,
        text = "What must hold: one verdict word with a matcher. The name is a sentence.",
        example = [[
expect "errors are back under 0.1 % within 15 s" {
  eventually = web.errors.ratio:below "0.1%",
  after = outage, within = "15s", holding = "30s",
}]] },
    slo = { is_silent = true,
        text = "An objective with its error budget, over the whole run or a sliding window.",
        example = [[slo "availability" { of = web, objective = "99.5%", over = "10m" }]] },
    chaos = { is_silent = true,
        text = "Faults drawn from a set, each at its own mean distance in time (mtbf), as far as a "
            .. "budget of what may be hit at once allows. The seed decides: `lorenz plan --seed N` "
            .. "shows what comes, numbered, and `only` chooses among it. A fault without `pick` "
            .. "hits one replica.",
        example = [[
chaos "bad weather" {
  fault.kill { web, mtbf = "3m", lasting = "20s" },
  fault.latency { link(web, db), mtbf = "1m", lasting = "10s", add = "50ms" },
  together = 2, replicas = "34%", quiet = "30s",
}]] },
    fault = { text = "What goes wrong: fault.KIND { target, at = ... }. A kind has these fields "
        .. "and its own; its page is fault.KIND. The value is an anchor for `after`, and so is "
        .. "its `.ends`.",
        example = [[local outage = fault.kill { db.primary, at = "4m", lasting = "30s" }]] },
}

--- Words that are called.
M.functions = {
    param = { sign = "fun(name: string, values: any): any",
        text = "A case of the scenario for each value; several params make a matrix. --set "
            .. "NAME=VALUE pins one. A single value is a default without a matrix.",
        example = [[local retries = param("retries", { 0, 3, 10 })]] },
    check = { sign = "fun(name: string, judge: fun(w: Witness): any, opts?: CheckFields)",
        text = "An expectation in code, for what the verdict words cannot say. The function is "
            .. "called when the run is over, and returns true, or false and why. w:value(metric) "
            .. "is a whole-run value in seconds, shares, bytes or counts, nothing without a "
            .. "sample; w:happened(mark) when a mark was set, if it was.",
        example = [[
check("the median is at most half of the tail", function(w)
  local p50, p99 = w:value(web.latency.p50), w:value(web.latency.p99)
  return p50 <= p99 / 2, ("%g s of %g s"):format(p50, p99)
end, { severity = "warn" })]] },
    sorted = { sign = "fun(t: table): fun(): any, any",
        text = "Like pairs: numbers first, then texts, each in order. pairs has the same order "
            .. "in a scenario; the name says that it matters.",
        example = [[for name, pause in sorted { a = "1s", b = "2s" } do
  fault.pause { web, at = pause, lasting = "1s" }
end]] },
    use = { sign = "fun(name: string): any",
        text = "Brings in a module, of the standard library (\"kubernetes\") or a Lua file "
            .. "relative to this one (\"./shop.lua\"), inside the project's folder. It is run "
            .. "once, in the same sandbox, and gives what it returns.",
        example = [[
local k8s = use "kubernetes"
local shop = k8s.deployment { "shop", replicas = 4, startup = "20s" }
k8s.rollout_restart { shop, at = "2m" }]] },
    drive = { sign = "fun(name: string, body: fun())",
        text = "Runs a function beside the system, on virtual time: it sleeps, waits, marks and "
            .. "breaks things when they are due. What it may do to them: lorenz explain actions.",
        example = [[
drive("operator", function()
  wait_until(web.errors.ratio:above "5%")
  sleep "30s"
  mark "rollback"
end)]] },
    sleep = { sign = "fun(time: Duration)",
        text = "Lets virtual time pass. Inside drive.", example = [[sleep "30s"]] },
    wait_until = {
        sign = "fun(matcher: Matcher|Mark|Alert, opts?: WaitFields): boolean",
        text = "Waits until a matcher holds, judged every second, or until an alert next fires; "
            .. "false when `timeout` comes first. Inside drive.",
        example = [[local noticed = wait_until(web.errors.ratio:above "1%", { timeout = "1m" })]] },
    mark = { sign = "fun(name: string)",
        text = "Writes down that something happened now; happened \"name\" refers to it. Inside "
            .. "drive.",
        example = [[mark "rollback"]] },
    happened = { sign = "fun(name: string): Mark",
        text = "A mark as an anchor for `after`, its first time, or as what an expectation is "
            .. "about: with `after`, `during` or `except` the times that these leave, else any "
            .. "time. wait_until goes on when it was ever set.",
        example = [[expect "someone rolls back" { sometimes = happened "rollback" }]] },
    log = { sign = "fun(text: any, ...: any)",
        text = "A line of the report with its virtual time; more values are put into the text as "
            .. "string.format does. Of a run that passes, -v shows it. Inside drive and handlers.",
        example = [[log("%d replicas are up", 3)]] },
    now = { sign = "fun(): Duration",
        text = "Virtual time since the start of the run; in a handler what the clock of its "
        .. "host reads. Inside drive and handlers.",
        example = [[log("rolled back at %s", tostring(now()))]] },
    rand = { sign = "fun(): number",
        text = "A number from 0 to 1, drawn from the seed. Inside drive and handlers.",
        example = [[if rand() < 0.1 then sleep "1s" end]] },
    dur = { sign = "fun(time: Duration): Duration",
        text = "A duration to calculate with: + - with another, * with a number.",
        example = [[local ttl = dur("30s") + dur("5s")]] },
    amplification = { sign = "fun(from: Component, to: Component): Metric",
        text = "Attempts on `to` for each request of `from`: what retries do to a dependency.",
        example = [[
expect "retries do not pile up" { always = amplification(users, web):below(3) }]] },
}

--- Verdict words and other fields that deserve more than their line.
M.notes = require "docs_notes"

--- Shapes of a rate over time.
M.shapes = {
    constant = { text = "Always the same rate.",
        example = [[local calm = shape.constant "100/s"]] },
    ramp = { text = "From one rate to another on a straight line, and there it stays. As the rate "
        .. "of a fault, its time counts from the fault's beginning.",
        example = [[local morning = shape.ramp { from = "10/s", to = "200/s", over = "5m" }]] },
    steps = { text = "A list of instants, each with the rate from then on. Before the first nobody "
        .. "comes.",
        example = [[local day = shape.steps { { "0s", "100/s" }, { "5m", "300/s" } }]] },
    sine = { text = "A wave around a mean, such as a day: it begins in the middle, going up.",
        example = [[local tide = shape.sine { mean = "90/s", amplitude = "9/s", period = "2m" }]] },
    burst = { text = "A base with bursts again and again: each period ends with its burst.",
        example = [[
local campaign = shape.burst { base = "100/s", peak = "500/s", every = "3m", lasting = "20s" }]] },
    replay = { text = "Requests as a file lists them: a line is a minute, its last column the "
        .. "requests in it, and a first line of words is the heading. The file stands beside the "
        .. "one that names it. With constant arrivals each minute has as many as the file says, "
        .. "with poisson they vary around it. After the last line nobody comes.",
        files = { ["requests.csv"] = "minute,requests\n0,600\n1,660\n" },
        example = [[local recorded = shape.replay "requests.csv"]] },
}

M.matchers = {
    below = { text = "less than the limit", sign = "fun(self: Metric, limit: Limit): Matcher" },
    above = { text = "more than the limit", sign = "fun(self: Metric, limit: Limit): Matcher" },
    at_least = { text = "the limit or more", sign = "fun(self: Metric, limit: Limit): Matcher" },
    at_most = { text = "the limit or less", sign = "fun(self: Metric, limit: Limit): Matcher" },
    equals = { text = "exactly the limit", sign = "fun(self: Metric, limit: Limit): Matcher" },
    between = { text = "from the first limit to the second",
        sign = "fun(self: Metric, from: Limit, to: Limit): Matcher" },
    recovers_to = { text = "back to that share of the mean from warm-up to the fault",
        sign = "fun(self: Metric, share: Share): Matcher" },
}

--- Of a metric, beside its matchers.
M.metric_value = "What a metric is, as a number: in seconds, shares (0 to 1), bytes, per second or "
    .. "so many. Levels as they are now, rates, ratios and latencies as in the last whole second; "
    .. "nothing without a sample. Inside drive and handlers."

--- Parts of components, as name, type in an editor, and what it is.
M.parts = {
    service = {
        { "replica", "Replica[]", "its replicas, from 1: web.replica[2]" },
        { "version", "fun(self: Service, name: string): Version",
            'one build: web:version("v2").errors.ratio' },
        { "route", "fun(self: Service, shares: table<string, Share>)",
            'shares of its requests by build, in drive: web:route { v2 = "5%" }' },
        { "deploy", "fun(self: Service, version?: string): boolean?, string?",
            'with a rollout: that build replaces what runs, in drive: web:deploy "v2"; without a '
                .. "name the same build again, as `kubectl rollout restart`" },
        { "scale", "fun(self: Service, replicas: integer): boolean?, string?",
            "with an autoscale: so many replicas from now on, in drive: web:scale(20)" },
        { "deployed", "Mark", "when a rollout was first complete, as an anchor or in a verdict" },
        { "stalled", "Mark", "when a rollout first made no progress for its deadline" },
    },
    gateway = { { "replica", "Replica[]", "its replicas, from 1" } },
    cache = {
        { "primary", "Target", "whichever node leads when it is needed" },
        { "replica", "Target[]", "the nodes that follow, from 1" },
        { "node", "Target[]", "its nodes, from 1, whatever their roles are" },
        { "sentinel", "Target[]", "those that watch, from 1" },
        { "shard", "Target[]", "of a cluster, from 1: whichever node leads that shard" },
        { "slot", "fun(self: Cache, key: string|integer): integer",
            'which slot of a cluster has a key: redis:slot("{user1000}.cart")' },
        { "reshard", "fun(self: Cache, options: table): boolean?, string?",
            "slots go to another shard, in drive: redis:reshard { slots = 99, from = 1, to = 3 }" },
        { "fix", "fun(self: Cache): boolean?, string?",
            "slots that a reshard left open, or nobody has, are put right, in drive: redis:fix()" },
    },
    store = {
        { "node", "Target[]", "its nodes, from 1" },
        { "versioning", "fun(self: Store, to: string): boolean?, string?",
            "older versions are kept, in drive: bucket:versioning \"enabled\", or \"suspended\"" },
    },
    broker = { { "node", "Target[]", "its nodes, from 1" } },
    topic = { { "partition", "Target[]", "its partitions, from 1" } },
    consumers = { { "member", "Target[]", "its members, from 1" } },
    dns = {},
    alert = {
        { "fired", "Mark", "when it first fired, as an anchor or in a verdict" },
        { "notified", "Mark", "when somebody was first told that it fires" },
        { "resolved", "Mark", "when it first was no longer true" },
    },
    rule = {},
    cloud = { { "zone", "table<string|integer, Zone>", "its zones: other.zone.a" } },
    balancer = { { "replica", "Replica[]", "its replicas, from 1" } },
    database = {
        { "failover", "fun(self: Database, options?: table): boolean?, string?",
            "another leads from now on, in drive: db:failover { to = db.node[2] }" },
        { "restore", "fun(self: Database, options?: table): boolean?, string?",
            "from its backups, in drive: db:restore { at = \"3h\" }, or as much as there is" },
        { "member_add", "fun(self: Database, options: table): boolean?, string?",
            "a node joins, in drive: db:member_add { node = db.node[4], learner = true }" },
        { "member_promote", "fun(self: Database, options: table): boolean?, string?",
            "a learner votes from now on: db:member_promote { node = db.node[4] }" },
        { "member_remove", "fun(self: Database, options: table): boolean?, string?",
            "a node is no member any more: db:member_remove { node = db.node[1] }" },
        { "move_leader", "fun(self: Database, options?: table): boolean?, string?",
            "the leader hands over: db:move_leader { to = db.node[2] }, or to the best" },
        { "snapshot_save", "fun(self: Database, options?: table): integer?, string?",
            "what the leader, or a node, has applied is taken away; its index" },
        { "snapshot_restore", "fun(self: Database, options?: table): boolean?, string?",
            "a new cluster begins from it: db:snapshot_restore {}" },
        { "primary", "Target", "whichever node leads when it is needed" },
        { "replica", "Target[]", "the nodes that follow, from 1" },
        { "node", "Target[]", "its nodes, from 1, whatever their roles are" },
    },
    consensus = {
        { "member_add", "fun(self: Consensus, options: table): boolean?, string?",
            "a node joins, in drive: etcd:member_add { node = etcd.node[4], learner = true }" },
        { "member_promote", "fun(self: Consensus, options: table): boolean?, string?",
            "a learner votes from now on: etcd:member_promote { node = etcd.node[4] }" },
        { "member_remove", "fun(self: Consensus, options: table): boolean?, string?",
            "a node is no member any more: etcd:member_remove { node = etcd.node[1] }" },
        { "move_leader", "fun(self: Consensus, options?: table): boolean?, string?",
            "the leader hands over: etcd:move_leader { to = etcd.node[2] }, or to the best" },
        { "snapshot_save", "fun(self: Consensus, options?: table): integer?, string?",
            "what the leader, or a node, has applied is taken away; its index" },
        { "snapshot_restore", "fun(self: Consensus, options?: table): boolean?, string?",
            "a new cluster begins from it: etcd:snapshot_restore {}" },
        { "leader", "Target", "whichever node leads when it is needed" },
        { "node", "Target[]", "its nodes, from 1; the first leads at first" },
    },
    traffic = {},
    region = { { "zone", "table<string|integer, Zone>", "its zones: eu.zone.a, eu.zone[1]" } },
    fault = { { "ends", "Anchor", "when it is over, for `after`" },
        { "stop", "fun(self: Fault): boolean?, string?",
            "it ends now, before its time, in drive: outage:stop()" } },
}

--- What a handler is given.
M.request = {
    call = { sign = "fun(self: Request, call: CallFields): Result",
        text = "Calls another component and waits: the result is { ok, status, value, outcome }, "
            .. "and of a lock that was granted its `token`." },
    transaction = { sign = "fun(self: Request, options: TransactionFields, f: fun(tx: "
        .. "Transaction): any): TransactionResult", text = "Several statements on one connection "
        .. "to a database: the function's end commits, tx:rollback() and failures roll back." },
    sql = { sign = "fun(self: Request, statement: table): SqlResult",
        text = "A statement of a database with a `schema`, with a value for each parameter, and "
            .. "the options of a call. What comes back has ok, status, rows (by column), changes "
            .. "and last_id, or error and code. One that failed ends the request with 500 unless "
            .. "the handler looks at how it went; :must() ends it at once." },
    sleep = { sign = "fun(self: Request, time: Duration|Dist)",
        text = "Waits, holding its worker." },
    work = { sign = "fun(self: Request, time: Duration|Dist)",
        text = "Uses the CPU for so long: a duration, or a draw from a distribution." },
    disk = { sign = "fun(self: Request, op: 'read'|'write'|'fsync'): boolean",
        text = "An operation on its replica's disk; false if it has failed." },
    time_left = { sign = "fun(self: Request): Duration?",
        text = "How long until its caller gives up; nothing if none has said." },
    version = { sign = "fun(self: Request): string?",
        text = "The version of the service that serves it; nothing if none does." },
    priority = { sign = "fun(self: Request): integer",
        text = "Its class in queues, 0 to 7; 0 is served first." },
    once = { sign = "fun(self: Request, key: any, make: fun(): any): any",
        text = "One flight per replica and key; followers wait and share the outcome." },
}
--- What the function of req:transaction is given.
M.transaction = {
    sql = { sign = "fun(self: Transaction, text: string, values: any[]?): SqlResult",
        text = "A statement of SQL, of a database with a `schema`. Rows that it changes are locked "
            .. "until the end; one that fails ends the transaction." },
    read = { sign = "fun(self: Transaction, key: integer|string): any",
        text = "What the row holds, as the transaction sees it; nothing if it is not there." },
    lock = { sign = "fun(self: Transaction, key: integer|string): any",
        text = "The row's lock, and what it holds: SELECT ... FOR UPDATE." },
    write = { sign = "fun(self: Transaction, key: integer|string, value: any)",
        text = "Writes a row: an integer, a text or a boolean." },
    append = { sign = "fun(self: Transaction, key: integer|string, element: any)",
        text = "Adds an element to a row that is a list: a text, with commas between." },
    delete = { sign = "fun(self: Transaction, key: integer|string)", text = "Removes a row." },
    scan = { sign = "fun(self: Transaction, from: integer, to: integer): { key: integer, value: "
        .. "any }[]", text = "The rows whose keys are the integers from the first to the second." },
    rollback = { sign = "fun(self: Transaction)", text = "Undoes all, and leaves the function." },
}
M.transaction_result = {
    { "ok", "boolean", "it is committed" },
    { "value", "any", "what its function returned, if it is" },
    { "error", "string?", "why it is not" },
    { "code", "string?", "PostgreSQL's SQLSTATE, such as 40001" },
    { "status", "integer", "of its last statement" },
    { "outcome", "string", "of its last statement: ok error timeout refused reset" },
    { "attempts", "integer", "tries that were made" },
}
--- What a handler of consumers is given beside.
M.record_fields = {
    { "key", "any", "the record's key" },
    { "value", "any", "what was written; nothing if it was traffic" },
    { "partition", "integer", "from 1" },
    { "offset", "integer", "within its partition, from 0" },
    { "at", "Duration", "when it was made" },
}
M.request_fields = {
    { "op", "string", "the operation, such as \"GET /product\"" },
    { "key", "any", "what the request is about" },
    { "value", "any", "what it carries, if its caller said so" },
}

--- The types of fields: the word of the column, what it means (nil: what it says), and the type
--- in an editor.
M.types = {
    duration = { "duration", 'a time with its unit: "150ms", "2s", "1m30s"', "Duration" },
    load = { "load", 'a rate ("400/s") or a shape (shape.NAME)', "Rate|Shape" },
    bandwidth = { "bandwidth", 'bytes or bits per time: "10Mbit/s", "1MiB/s"', "string" },
    offset = { "offset", 'a duration that may be negative: "2s", "-500ms"', "Duration" },
    signed = { "number", nil, "number" },
    versions = { "versions", "builds by name: { v2 = { ... } }",
        "table<string, ServiceVersionsFields>" },
    burst = { "burst", "{ p, r, bad, good } (Gilbert-Elliott) or { p13, p31, p32, p23, p14 } "
        .. "(four states), shares as in tc-netem(8)", "table<string, Share>" },
    rate = { "rate", 'so many per time: "400/s", "5k/s", "30/m"', "Rate" },
    ratio = { "share", 'a part of a whole: "0.1%", or 0 to 1', "Share" },
    share = { "percent", 'of what there is, which may be more than all: "150%"', "Share" },
    policies = { "list", "one to four { pods =, period = } or { percent =, period = }",
        "table<string, any>[]" },
    size = { "size", 'bytes with their unit: "1KiB", "10MB"', "Size" },
    count = { "count", nil, "integer" },
    counts = { "counts", "a list of whole numbers: { 5, 1, 1 }", "integer[]" },
    number = { "number", nil, "number" },
    numbers = { "numbers", "a list of numbers", "number[]" },
    limit = { "limit", 'a count, or "unbounded"', 'integer|"unbounded"' },
    amount = { "number", "0 or more", "number" },
    portion = { "portion", 'a count, or a share: 1, "25%"', "Share|integer" },
    budget = { "budget", 'a share, { tokens = 10, per_call = 0.1 }, or "off"',
        'Share|table|"off"' },
    lateness = { "lateness", 'a duration, or a quantile: "p95"', "Duration" },
    outcomes = { "outcomes", '"error", "refused", "reset", "timeout" and statuses: { 503 }',
        "(string|integer)[]" },
    text = { "text", nil, "string" },
    bool = { "boolean", nil, "boolean" },
    dist = { "dist", 'a duration ("5ms", constant) or a distribution (dist.NAME)',
        "Duration|Dist" },
    place = { "place", "a cloud, a region, a zone or a host", "Cloud|Region|Zone|Host" },
    calls = { "calls", "a list of call { ... }", "Call[]" },
    call = { "call", "a call { ... }", "Call" },
    through = { "through", "a cache, or a call { ... } to one", "Cache|Call" },
    handler = { "function", "function(record) ... end: of consumers, see `request`",
        "fun(record: Record): (boolean|integer)?" },
    handlers = { "handlers", 'functions by operation: { ["GET /x"] = function(req) ... end }',
        "table<string, fun(req: Request): integer?, any>" },
    table = { "table", nil, "table" },
    matcher = { "matcher", 'what is compared: web.latency.p99:below "300ms"', "Matcher|Mark" },
    anchor = { "anchor", 'a fault, its .ends, happened "mark", or an instant',
        "Fault|Anchor|Mark|Duration" },
    windows = { "window", "{ after =, lasting = }, a list of these, or a fault with `lasting`",
        "WindowFields|WindowFields[]|Fault" },
    pick = { "pick", 'how many are hit: "all", "one", a count, "50%" or "random 50%"',
        "string|integer" },
    rule = { "rule", "a word, or function(here, there) of two rows { value, at, node, key } that "
        .. "returns one of them, or a value", "string|fun(here: table, there: table): any" },
    failover = { "failover", "who leads when the primary is gone; false: nobody", "false|table" },
    choice = { "word", nil, "string" },
    words = { "words", "a list of words", "string[]" },
    ops = { "operations", 'a list of them: { "POST /like" }', "string[]" },
    block = { "table", nil, "table" },
    any = { "any", nil, "any" },
}

--- Units of metrics, as the column and the limit of a matcher show them.
M.units = {
    seconds = { "duration", ' "300ms"' },
    ratio = { "share", ' "1%"' },
    rate = { "rate", ' "400/s"' },
    count = { "count", "(10)" },
    bytes = { "size", ' "1MiB"' },
}

--- Exit statuses, worst first where several apply.
M.exits = {
    { 0, "everything held" },
    { 1, "an expectation failed: the system is not good enough" },
    { 2, "a scenario is wrong: it does not load, or its script raised an error" },
    { 3, "inconclusive: nothing failed, but something was never tested" },
    { 4, "usage: a bad option, a missing file" },
    { 5, "nothing matched the selection" },
    { 6, "not reproducible: the same run gave two results" },
    { 7, "a budget (events, wall time, memory) was used up; results are partial" },
    { 70, "a bug in Lorenz; what is known of it is in .lorenz/crash" },
    { 74, "a result could not be written (full disk, read-only folder)" },
    { 128, "plus N: stopped by signal N; 130 is Ctrl-C" },
}
M.exit_order = { 70, 74, 6, 2, 1, 7, 3, 5 }

local live = require "docs_live"
live.add_to(M.blocks, live.blocks)
live.add_to(M.parts, live.parts)
live.add_to(M.types, live.types)
local alert = require "docs_alert"
live.add_to(M.blocks, alert.blocks)
live.add_to(M.types, alert.types)

for word, note in pairs(require "docs_history") do M.notes[word] = note end

return M
