--- What the words of a live run mean: entries of docs_words.lua and docs_codes.lua.
local M = {}

M.blocks = {
    process = { text = "A real program, started by `lorenz live` (with --allow-run): in a "
        .. "session of "
        .. "its own, its output kept (of more than 64 MiB the end), its end made sure of. It may "
        .. "stand alone, or stand for an "
        .. "instance of a component that is modelled too: database \"db\" { nodes = 2, live = { "
        .. "a, b "
        .. "} }. What it connects to is behind a proxy, on which network faults act. "
        .. "In its texts {{port}}, {{host}}, {{address}}, {{dir}} and {{name}} are its own; "
        .. "{{db.port}}, {{db.host}} and {{db.address}} are another's as it should connect to it "
        .. "(the proxy, if it is in `connects` or a `calls`), {{db.direct_port}} and "
        .. "{{db.direct_address}} where that really listens, {{db.dir}} its folder; {{run.dir}} "
        .. "and "
        .. "{{scenario.dir}} are folders. "
        .. "With scenario \"x\" { network = \"namespaces\" } it has a network of its own: {{host}} "
        .. "is its address there, on which it has to listen, and faults act on packets, UDP's too.",
        example = [[
scenario "Against the real thing" { duration = "8m" }
local redis = process "redis" {
  run = { "redis-server", "--port", "{{port}}", "--dir", "{{dir}}" }, restart = "always",
}
local api = process "api" {
  run = { "./server", "--listen", "{{port}}" }, protocol = "http", ready = { http = "/health" },
  env = { REDIS = "{{redis.address}}" }, connects = { redis },
}
traffic "callers" { to = api, op = "GET /cart", rate = "50/s" }
fault.pause { redis, at = "4m", lasting = "10s" }
fault.latency { link(api, redis), add = "50ms", at = "6m", lasting = "1m" }]] },
    endpoint = { text = "Something that runs already, by its address. Lorenz does not start or "
        .. "stop "
        .. "it; faults on the way to it can be live, those on its process cannot. What is not on "
        .. "this machine's loopback needs --allow-target.",
        example = [[
scenario "Against the real thing" { duration = "8m" }
local api = endpoint "api" { url = "http://127.0.0.1:8080", ready = { http = "/health" } }
traffic "callers" { to = api, op = "GET /cart", rate = "50/s" }]] },
    probe = { text = "Something that a live run asks every while: by HTTP, by a connection, or "
        .. "by a "
        .. "program that is run. Its metrics: up, success.ratio, latency, and its value: the "
        .. "number "
        .. "that the body or the output begins with. What a program knows of itself is asked so; "
        .. "a simulation has no samples of it.",
        example = [[
scenario "Against the real thing" { duration = "8m" }
local db = process "db" { run = { "postgres", "-D", "{{dir}}/data", "-p", "{{port}}" } }
local rows = probe "rows" {
  command = { "psql", "-p", "{{db.port}}", "-Atc", "select count(*) from orders" },
  every = "1s", value = true,
}
expect "rows stay" { at_end = rows.value:at_least(1000) }]] },
    prometheus = { text = "A Prometheus server whose instant queries are metrics of a live run. An "
        .. "error, NaN or an empty answer is no sample.",
        example = [[
scenario "Against the real thing" { duration = "8m" }
local prom = prometheus "prom" {
  url = "http://127.0.0.1:9090",
  queries = { p99 = "histogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket[1m])))" },
}
expect "p99 stays good" { always = prom.p99:below(0.3) }]] },
}

M.parts = { process = {}, endpoint = {}, probe = {}, prometheus = {} }

M.types = {
    argv = { "command", "a program and its arguments, without a shell: "
        .. '{ "redis-server", "--port", "{{port}}" }', "(string|number)[]" },
    argvs = { "commands", "a list of programs with their arguments", "(string|number)[][]" },
    texts = { "texts", 'texts by name: { LANG = "C" }', "table<string, string|number>" },
    port = { "port", '1 to 65535, or "free"', 'integer|"free"' },
    place_to_ask = { "address", 'true, or "host:port"', "true|string" },
    measured = { "metric", "a metric such as db.lost_acks", "Metric" },
    connects = { "list", "a list of processes, endpoints and components", "table" },
    matchers = { "matchers", "a matcher, or a list of them", "Matcher|Matcher[]" },
    live = { "live", "a process or an endpoint, their fields, or a list of these",
        "Process|Endpoint|table" },
}

M.codes = {
    LZ701 = { title = "a real program cannot be simulated", run = true,
        text = "`process` and `endpoint` are real things: `lorenz live` runs them. To simulate the "
            .. "same file too, say which component models them: service \"api\" { ..., live = api "
            .. "}. What nobody models, calls, hits or measures is left out of a simulation.",
        wrong = [[
local api = endpoint "api" { url = "http://127.0.0.1:8080" }
traffic "visitors" { to = api, rate = "10/s" }]],
        right = [[
local api = endpoint "api" { url = "http://127.0.0.1:8080" }
local shop = service "shop" { service_time = "2ms", live = api }
traffic "visitors" { to = shop, rate = "10/s" }]] },
    LZ702 = { title = "a metric has no live source", run = "live --dry-run",
        text = "A live run observes requests (of traffic that it sends, and of what speaks HTTP "
            .. "behind a proxy), whether processes are up, probes and queries. Queues, workers, "
            .. "lag and the like are the model's; a program that knows its own is asked by a "
            .. "probe. A history (linearizable, read_your_writes, ...) is of the requests that "
            .. "traffic sends to a component: {{key}} in their path, body or command says which "
            .. "key one is about, {{value}} what it writes, and the answer's body is what it saw. "
            .. "Of `conserved` a read is of all accounts, and its answer one number, or names and "
            .. "what they hold. Of `log_intact` traffic to the topic writes {{value}}, is answered "
            .. "with an offset, and a probe with `reads` lists what is there.",
        wrong = [[
scenario "Live" { duration = "1m" }
local api = service "api" { live = { url = "http://127.0.0.1:1" } }
expect "short queues" { always = api.queue.length:below(10) }]],
        right = [[
scenario "Live" { duration = "1m" }
local queued = probe "queued" { http = "http://127.0.0.1:1/queued", value = true }
expect "short queues" { always = queued.value:below(10) }]] },
    LZ703 = { title = "a fault has no live form", run = "live --dry-run",
        text = "Faults on the network act on proxies, or on packets with network = \"namespaces\"; "
            .. "duplicate and reorder only on packets, what is about requests only on proxies. "
            .. "Faults on processes act on programs that Lorenz started, some on the machine. The "
            .. "message says what is missing here; `lorenz doctor --live` lists which have a live "
            .. "form, and what works on this machine.",
        wrong = [[
scenario "Live" { duration = "1m" }
local api = endpoint "api" { url = "http://127.0.0.1:1" }
local callers = traffic "callers" { to = api, op = "GET /", rate = "1/s" }
fault.kill { api, at = "10s" }]],
        right = [[
scenario "Live" { duration = "1m" }
local api = process "api" { run = { "./api" }, protocol = "http" }
local callers = traffic "callers" { to = api, op = "GET /", rate = "1/s" }
fault.kill { api, at = "10s" }]] },
    LZ704 = { title = "a live run cannot be made of this", run = "live --dry-run",
        text = "Everything that takes part must be real: what traffic calls and what a process "
            .. "connects to has a `process`, an `endpoint` or a `live`, traffic is HTTP, and "
            .. "actions "
            .. "on the model (route, failover, restore) change nothing real. What runs in "
            .. "namespaces does not reach what the machine's own network has.",
        wrong = [[
scenario "Live" { duration = "1m" }
local api = process "api" { run = { "./api" } }
local callers = traffic "callers" { to = api, op = "GET /", rate = "1/s" }]],
        right = [[
scenario "Live" { duration = "1m" }
local api = process "api" { run = { "./api" }, protocol = "http" }
local callers = traffic "callers" { to = api, op = "GET /", rate = "1/s" }]] },
}

--- Put `more`, one of the tables above, beside what `into` has.
function M.add_to(into, more)
    for name, entry in pairs(more) do into[name] = entry end
end

return M
