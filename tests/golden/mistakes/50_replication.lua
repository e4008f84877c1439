scenario "What makes no sense of a log" { duration = "1m" }
database "a" { nodes = 3, commit = "quorum", quorum = 3 }
database "b" { nodes = 3, commit = "flushed" }
database "c" { nodes = 3, replication = "multi", conflict = "last_wins" }
database "d" { nodes = 3, failover = { mode = "sometimes", fencing = "no" } }
database "e" { nodes = 3, priority = { 0 } }
database "f" { nodes = 3, failover = { ttl = 30, rejoin = "copy" } }
