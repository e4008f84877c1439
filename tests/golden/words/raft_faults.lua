-- What a group that agrees has not, or not so.
scenario "Faults of other databases" { duration = "1m" }
local db = database "db" { nodes = 3, replication = "raft" }
traffic "users" { to = db, rate = "1/s" }
fault.split_brain { db, at = "10s", lasting = "5s" }
