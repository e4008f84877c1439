// a habit from elsewhere
scenario "x" { duration = "5m" }
