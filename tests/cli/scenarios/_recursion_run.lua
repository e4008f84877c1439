scenario "Recursion in the run" { duration = "10s" }
local function again(n) return 1 + again(n + 1) end
drive("operator", function() again(1) end)
