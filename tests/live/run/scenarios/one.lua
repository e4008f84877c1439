scenario "One program" { duration = "3s" }
local mode = param("mode", "ok")
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}", mode },
                            protocol = "http", ready_within = "700ms", grace = "300ms" }
traffic "users" { to = api, rate = "20/s", op = "GET /", timeout = "2s" }
expect "it is up" { at_end = api.up:at_least(1) }
