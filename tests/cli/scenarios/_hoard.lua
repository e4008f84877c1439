scenario "Somebody hoards" { duration = "10s" }
local web = service "web" {}
local users = traffic "users" { to = web, rate = "5/s" }
drive("hoard", function()
  local all = {}
  while true do
    for i = 1, 20000 do all[#all + 1] = ("x"):rep(1000) .. i end
    sleep "1ms"
  end
end)
expect "answers come" { always = users.errors.ratio:below "1%" }
