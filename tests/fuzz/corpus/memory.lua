scenario "x" { duration = "1m" }
local t = {}
pcall(function() while true do t[#t + 1] = ("x"):rep(1000000) .. #t end end)
while true do t[#t + 1] = { #t } end
