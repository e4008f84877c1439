scenario "It computes for longer than two ticks" { duration = "10s" }

local web = service "web" {}
traffic "users" { to = web, rate = "10/s" }

drive("thinker", function()
  local n = 0
  for _ = 1, 14 do
    for _ = 1, 1000000 do n = n + 1 end -- three instructions each
  end
  pcall(function() for _ = 1, 14000000 do n = n + 1 end end)
  sleep "1s"
  mark(n == 28000000 and "42 million" or "lost count")
end)

expect "42 million instructions are no endless loop" { sometimes = happened "42 million" }
