scenario "Everything holds" { duration = "30s" }
local shop = use "./_shop.lua"
local web = shop.web(2)
traffic "users" { to = web, rate = "20/s" }
expect "there are answers" { always = web.errors.ratio:equals(0) }
