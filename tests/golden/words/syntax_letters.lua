scenario "é" { duration = "5m" }
local café = service "café" {}
