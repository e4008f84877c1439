scenario "x" { duration = "5m" }
local function again(n) return 1 + again(n + 1) end
again(1)
