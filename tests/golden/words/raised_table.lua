scenario "x" { duration = "5m" }
error({ code = 1 })
