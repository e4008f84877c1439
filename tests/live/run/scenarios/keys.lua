-- Reads and writes of a few keys, as a history: simulated, and of a server that is good or is not.
scenario "What was written is read" { duration = "1500ms" }

local mode = param("mode", { "good" })

local kv = store "kv" {
  kind = "key_value",
  live = {
    run      = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", mode },
    protocol = "http",
    ready    = { http = "/health" },
  },
}
local few = dist.zipf { n = 5, skew = 0.5 }
traffic "writers" {
  to = kv, op = "PUT /{{key}}", keys = few, arrivals = "closed", users = 3, think = "20ms",
  timeout = "300ms", live = { body = "{{value}}" },
}
traffic "readers" {
  to = kv, op = "GET /{{key}}", keys = few, arrivals = "closed", users = 3, think = "20ms",
  timeout = "300ms",
}

expect "its keys behave as one copy" { linearizable = kv }
expect "what one reads never goes back" { monotonic_reads = kv }
