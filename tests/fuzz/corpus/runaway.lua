scenario "x" { duration = "1m" }
local co = 0
while true do pcall(function() while true do co = co + 1 end end) end
