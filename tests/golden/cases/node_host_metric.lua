scenario "What a node refuses: host metric" { duration = "1m" }
local rack = host "rack" {}
local web = service "web" { on = rack }
expect "cpu" { always = rack.cpu:below "90%" }
traffic "users" { to = web, rate = "10/s" }
expect "it answers" { at_end = web.rate:above "1/s" }
