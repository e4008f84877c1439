-- The second finds nobody to kill.
scenario "A fault that touches nothing" { duration = "3s" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}" } }
probe "there" { of = api, tcp = true, every = "200ms" }
fault.kill { api, at = "500ms" }
fault.pause { api, at = "1500ms", lasting = "500ms" }
expect "it was up" { sometimes = api.up:at_least(1) }
