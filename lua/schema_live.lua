--- What a live run needs beside the model: real programs, addresses, probes. Rows as in schema.lua.
local M = {}

--- How something is asked whether it works.
local asking = {
    { "http", "text", "a GET: a path such as \"/health\", or a whole URL" },
    { "tcp", "place_to_ask", "a connection: true for where it listens, or \"host:port\"" },
    { "command", "argv", "a program and its arguments, without a shell" },
    { "status", "count", "with http: what is good; default 200 to 299", min = 100, max = 599 },
    { "ca_file", "text", "with http: certificates to trust, in PEM; default those of the system" },
    { "contains", "text", "what the body or the output must have in it; default anything" },
    { "every", "duration", "how often; default 1s, of `ready` 100ms, of `is_primary` 250ms",
        above_zero = true },
    { "timeout", "duration", "how long an answer may take; default 1s", above_zero = true },
    { "fails", "count", "failures in a row after which it is down; default 1", min = 1 },
    { "passes", "count", "good answers in a row after which it is up; default 1", min = 1 },
}

local function with(own, more)
    local all = {}
    for _, list in ipairs { own, more } do
        for _, f in ipairs(list) do all[#all + 1] = f end
    end
    return all
end

local where = {
    { "protocol", "choice", "what is spoken there: of http its proxy measures requests, of https "
        .. "it sees bytes; default tcp", choices = { "tcp", "http", "https" } },
    { "ready", "block", "how it is found to be ready; default when it accepts connections",
        fields = asking },
    { "is_primary", "block", "how it is found to be the primary (leader, master) of what it stands "
        .. "for, again and again: faults on db.primary hit who was last found to be; default the "
        .. "first of `live`", fields = asking },
    { "ready_within", "duration", "the run does not begin without it; default 30s",
        above_zero = true },
}

M.process = with({
    { "run", "argv", "the program and its arguments, without a shell", required = true },
    { "setup", "argvs", "programs that are run before it, one after another, and must end with 0" },
    { "listens", "port", "where it listens, at {{host}}: a number, or \"free\" for one that is "
        .. "chosen; default free" },
    { "family", "choice", "of its address: {{host}} is 127.0.0.1 or ::1, or, in namespaces, its "
        .. "own; default ipv4", choices = { "ipv4", "ipv6" } },
    { "env", "texts", "variables of its environment, beside those of lorenz" },
    { "files", "texts", "files in its folder, by their path: { [\"app.conf\"] = \"...\" }" },
    { "cwd", "text", "where it is run; default its own folder, which {{dir}} names" },
    { "user", "text", "who it is run as, if lorenz is run by root; default who runs lorenz" },
    { "connects", "connects", "what it connects to: a proxy is put before each" },
    { "stop_signal", "choice", "what asks it to end; default TERM",
        choices = { "TERM", "INT", "QUIT", "HUP", "USR1", "USR2" } },
    { "grace", "duration", "from that to SIGKILL; default 10s" },
    { "restart", "choice", "what happens when it has ended of itself or by fault.kill; default "
        .. "never", choices = { "never", "always" } },
    { "backoff", "duration", "before it is started again; default 1s" },
}, where)

M.endpoint = with({
    { "url", "text", "where it is: \"http://127.0.0.1:8080\", \"tcp://127.0.0.1:5432\"",
        required = true },
}, where)

M.probe = with({
    { "of", "ref:process|endpoint", "what is asked; default what the URL says" },
    { "value", "bool", "the number that the body or the output begins with is its `value`; "
        .. "default false" },
    { "reads", "ref:topic", "the topic whose records its output lists, for log_intact: a line for "
        .. "each that begins with [partition] offset value; default none" },
    { "measures", "measured", "the metric of the model that its value is, in a live run; default "
        .. "none" },
}, asking)

M.prometheus = {
    { "url", "text", "of the server: \"http://127.0.0.1:9090\"", required = true },
    { "queries", "texts", "instant queries in PromQL; each is a metric of that name",
        required = true },
    { "every", "duration", "how often they are asked; default 1s", above_zero = true },
    { "timeout", "duration", "how long an answer may take; default 1s", above_zero = true },
}

--- Of a component that is modelled too: one real thing, or one for each of its instances.
M.live = { "live", "live", "what it really is: fields of a process or an endpoint, or a list of "
    .. "those, one for each instance" }
M.inline = with(M.process, { M.endpoint[1] })

--- Of traffic: what is sent for it.
M.requests = { "live", "block", "what is sent for it, to something that speaks HTTP; {{key}} and "
    .. "{{value}} in path, body and command are its key and a number of its own", fields = {
    { "method", "text", "default what `op` begins with, or GET" },
    { "path", "text", "default what follows it in `op`, or /" },
    { "headers", "texts", "headers, by their names" },
    { "body", "text", "of each request; default none" },
    { "ca_file", "text", "certificates to trust, in PEM; default those of the system" },
    { "command", "argv", "a program that is run for each request, in place of HTTP; good if it "
        .. "ends with 0 in time" },
    { "if_match", "bool", "a compare and set: it reads the path, and writes with If-Match and the "
        .. "ETag of what it read; 412 is a cas that has failed; default false" },
    { "http2", "bool", "HTTP/2 instead of HTTP/1.1; default false" },
    { "connections", "count", "open at once, at most, or commands that run; default "
        .. "256, of commands 32; with if_match of reads and of writes each", min = 1, max = 20000 },
} }

M.abort_when = { "abort_when", "matchers", "a matcher, or a list of them: once one is true, a live "
    .. "run undoes all it did and ends; the block then stands after what it names" }

M.network = { "network", "choice", "of a live run: \"proxies\" on the machine's loopback, or "
    .. "\"namespaces\", a network of its own for each process, whose packets faults act on; "
    .. "default proxies", choices = { "proxies", "namespaces" } }

--- Kinds of component that only a live run has.
M.kinds = { "process", "endpoint", "probe", "prometheus" }

--- The rows that other blocks get.
function M.add_to(schema)
    for _, kind in ipairs(M.kinds) do
        schema[kind] = M[kind]
        schema.components[#schema.components + 1] = kind
    end
    for _, kind in ipairs { "service", "balancer", "gateway", "database", "consensus", "cache",
        "store", "broker" } do
        table.insert(schema[kind], M.live)
    end
    table.insert(schema.traffic, M.requests)
    table.insert(schema.scenario, M.network)
    table.insert(schema.scenario, M.abort_when)
end

return M
