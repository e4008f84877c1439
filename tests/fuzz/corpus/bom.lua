scenario "bom" { duration = "1m" }
local x = 5
service "a" { replica = 1 }
