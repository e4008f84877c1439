-- A part that is not there, in a drive: the script ends with what is wrong, as at the top level.
scenario "A drive asks for what there is not" { duration = "30s" }
local web = service "web" {}
traffic "users" { to = web, rate = "10/s" }
drive("operator", function()
  sleep "5s"
  local outage = fault.kill { web, lasting = "2s" }
  outage:undo()
end)
expect "it is there" { at_end = web.replicas.up:equals(1) }
