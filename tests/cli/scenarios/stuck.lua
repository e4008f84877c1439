-- Hangs inside C once it runs, where no instruction is counted: only the wall clock stops it.
scenario "The run never ends" { duration = "10s" }
local web = service "web" { service_time = "1ms" }
traffic "users" { to = web, rate = "10/s" }
drive("stuck", function()
  sleep "1s"
  return ("a"):rep(100000):find((".-"):rep(10) .. "b")
end)
expect "answers come" { always = web.errors.ratio:equals(0) }
