-- Records that are appended and read back, of a log that keeps them, loses some or has some twice.
scenario "What was written is read, once" { duration = "2s" }

local mode = param("mode", { "good" })

local kafka = broker "kafka" {
  live = {
    run      = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", mode },
    protocol = "http",
    ready    = { http = "/health" },
  },
}
local orders = topic "orders" { on = kafka }
traffic "shops" {
  to = orders, arrivals = "closed", users = 3, think = "20ms", timeout = "20s",
  live = { method = "POST", path = "/log", body = "{{value}}" },
}
probe "reader" { http = "http://{{kafka.direct_address}}/log", every = "200ms", timeout = "20s",
                 reads = orders }

expect "the log is whole" { log_intact = orders }
