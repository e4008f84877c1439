scenario "A cluster that cannot be" { duration = "10s" }

cache "redis" { entries = 100, nodes = 4, mode = "cluster", cluster = { replicas = 1 } }
cache "single" { entries = 100, cluster = { replicas = 1 } }
