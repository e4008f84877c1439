scenario "x" { duration = "5m" }
local count = 0
count += 1
