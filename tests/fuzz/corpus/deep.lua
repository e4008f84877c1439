scenario "x" { duration = "1m" }
local t = {}
for i = 1, 1000 do t = { t, x = t } end
service "deep" { queue = t, calls = t, handle = { ["GET /"] = function() return t end } }
local function f(n) return f(n + 1) + 1 end
pcall(f, 1)
f(1)
