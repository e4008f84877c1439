scenario "A quorum that can never be met" { duration = "10s" }

cache "redis" { entries = 100, nodes = 2, mode = "sentinel", sentinel = { count = 3, quorum = 4 } }
