scenario "One program" { duration = "3s" }
local mode = param("mode", "ok")
local patience = param("patience", "30s")
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}", mode },
                            protocol = "http", ready_within = patience, grace = "300ms" }
probe "there" { of = api, tcp = true, every = "200ms", timeout = "30s" }
expect "it is up" { at_end = api.up:at_least(1) }
