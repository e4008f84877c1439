-- Writers that write only what they have read: of a server that looks at If-Match, or does not.
scenario "Nobody's update is lost" { duration = "2s" }

local mode = param("mode", { "good" })

local kv = store "kv" {
  kind = "key_value",
  live = {
    run      = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", mode },
    protocol = "http",
    ready    = { http = "/health" },
  },
}
traffic "writers" {
  to = kv, op = "PUT /{{key}}", keys = dist.zipf { n = 2, skew = 0.5 }, arrivals = "closed",
  users = 6, think = "5ms", timeout = "20s", live = { body = "{{value}}", if_match = true },
}

expect "its keys behave as one copy" { linearizable = kv }
