-- A set and a counter, of a server that keeps what it is given, or loses some.
scenario "What was added is there" { duration = "1500ms" }

local mode = param("mode", { "good" })

local function keys(name)
  return service(name) {
    service_time = "1ms",
    live = { run = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", mode }, protocol = "http",
             ready = { http = "/health" } },
  }
end
local function closed(name, to, op, body)
  return traffic(name) {
    to = to, op = op, arrivals = "closed", users = 2, think = "30ms", timeout = "1s",
    live = { body = body },
  }
end

local tags, visits = keys "tags", keys "visits"
closed("taggers", tags, "PUT /members", "{{value}}")
closed("readers", tags, "GET /members")
closed("visitors", visits, "POST /9")
closed("counters", visits, "GET /9")

expect "no tag is lost" { set = tags, adds = { "PUT /members" }, reads = { "GET /members" } }
expect "all are counted" { counter = visits, adds = { "POST /9" }, reads = { "GET /9" } }
