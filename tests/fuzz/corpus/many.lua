scenario "x" { duration = "1m" }
for i = 1, 100000 do service("s" .. i) { replica = i, [("k"):rep(1000)] = i } end
