-- What a database that is a Raft group cannot be, too: each is refused when the world is made.
local which = param("which", { 1, 2, 3, 4, 5 })
scenario "Raft is said wrongly" { duration = "5s" }
local fields = ({
    { nodes = 2, replication = "raft" },
    { nodes = 3, replication = "raft", failover = { detect = "2s" } },
    { nodes = 3, replication = "raft", commit = "on" },
    { nodes = 3, replication = "sync", raft = { election = "1s" } },
    { nodes = 3, replication = "raft", raft = { election = "1s", heartbeat = "800ms" } },
})[which]
local db = database "db" (fields)
local web = service "web" { calls = { call { db, "get x" } } }
traffic "u" { to = web, rate = "2/s" }
expect "x" { always = web.errors.ratio:below "1%" }
