scenario "x" { duration = "5m" }
local web = service "web" { replicas = 2 }
expect "right" { always = web:errors.ratio:below "1%" }
