scenario "x" { duration = "5m" }
local t = table.concat({ 1, {}, 2 }, ", ")
