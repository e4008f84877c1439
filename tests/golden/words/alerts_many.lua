-- More conditions than an alert may have.
scenario "Many" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
local list = {}
for i = 1, 17 do list[i] = users.errors.ratio:above(i / 100) end
alert "page" { when = list }
