scenario "Recursion" { duration = "10s" }
local function again(n) return 1 + again(n + 1) end
local n = again(1)
