-- More memory than a run may have.
scenario "Greedy" { duration = "10s" }
local kept = {}
for i = 1, 1000000 do kept[i] = ("x"):rep(4000000) .. i end
