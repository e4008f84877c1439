scenario "Older versions of what keeps none" { duration = "10s" }

store "bucket" { lifecycle = { noncurrent = "30d" } }
