scenario "It stands still" { duration = "30s" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}", "leaves" } }
probe "there" { of = api, tcp = true }
fault.pause { api, at = "500ms", lasting = "25s" }
expect "it is up" { sometimes = api.up:at_least(1) }
