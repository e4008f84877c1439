-- A snapshot that somebody holds while the power takes what a disk lied about: what was is again.
local form = param("form", { "one", "raft" })
scenario "What replaced a row is lost while its past is held" { duration = "40s" }
local db = database "db" { nodes = form == "raft" and 3 or 1, failover = form ~= "raft" and false or nil,
                           replication = form == "raft" and "raft" or nil }
local users = traffic "users" { to = db, op = "write x", rate = "50/s", arrivals = "constant",
                                timeout = "500ms", keys = dist.zipf { n = 5, skew = 0 } }
fault.long_transaction { db, at = "8s", lasting = "20s" }
fault.fsync_lie { db, at = "10s", lasting = "20s" }
fault.down { db, at = "15s", lasting = "1s" }
expect "what the caches had is gone" { at_end = db.lost_acks:between(150, 260) }
expect "and writes go on" { always = users.errors.ratio:equals "0%",
                            during = { after = "30s", lasting = "10s" } }
