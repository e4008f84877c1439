-- Its fault would last for all of it: who stops it in the middle has it over.
scenario "It goes on" { duration = "3s" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}", "leaves" } }
probe "there" { of = api, tcp = true }
local still = fault.pause { api, at = "500ms", lasting = "25s" }
drive("operator", function()
  sleep "1500ms"
  assert(still:stop())
  assert(not still:stop())
end)
expect "it goes on" { after = still.ends, within = "1s", eventually = api.up:at_least(1) }
