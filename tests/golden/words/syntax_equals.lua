scenario "x" { duration = "5m" }
local web = service "web" { replicas 3 }
