-- Texts of more than 40 bytes are new objects each time they are made, so that another may lie where
-- one that was slept for has lain: each of them says how long it is.
scenario "Durations are written at length" { duration = "1m" }
local web = service "web" { concurrency = 4, service_time = "1ms" }
traffic "users" { to = web, rate = "1/s" }

drive("sleeper", function()
  for i = 1, 4000 do
    local began, want = now().ns, i % 7 + 1
    sleep(("0"):rep(60) .. want .. "us")
    local others = {}
    for k = 1, 20 do others[k] = k .. ("x"):rep(50) end
    local took = now().ns - began
    if took ~= want * 1000 then
      error(("sleep %d: wanted %d us, slept %d ns"):format(i, want, took))
    end
  end
  mark "slept"
end)

expect "each is slept for as long as it says" { sometimes = happened "slept" }
