scenario "x" { duration = "5m" }
local eu = region "eu" { zones = { "a" "b" "c" } }
local rates = { 100 200 }
