-- db[3] is away; db[1] and db[2] lose their power, and db[2] stays away. A write of db[1]'s went
-- astray meanwhile: its file is not whole, its log is. It leads db[3], from whom it has its content
-- again, two seconds old: what is between is in its log, and nothing of it may be skipped.
local ratio = param("ratio", { "0.1%" })
local from = param("m", { "6240ms" })
scenario "A node rebuilt from one that is behind has what is between" { duration = "34s", warmup = "1s" }

local db = database "db" {
  nodes = 3, replication = "raft", query_time = "100us", disk = { latency = "200us" },
  schema = "create table t(id integer primary key, n integer)",
}
local acked = 0
local app = service "app" {
  handle = {
    ["W /"] = function(req)
      if now() < dur "30s" then
        local r = req:sql { db, "insert into t(n) values (1)", timeout = "300ms" }
        acked = acked + (r.ok and 1 or 0)
      elseif now() > dur "33s" then
        local r = req:sql { db, "select count(*) as n from t", timeout = "1s" }
        local n = r.ok and r.rows[1].n or acked
        if n + db.lost_acks:value() < acked then
          error(("%d rows of %d are there, and nobody knows"):format(n, acked))
        end
      end
      return 200
    end,
  },
}
traffic "w" { to = app, op = "W /", rate = "100/s", arrivals = "constant", timeout = "1s" }

fault.misdirected_write { db.node[1], at = from, lasting = "7s", ratio = ratio }
fault.misdirected_write { db.node[2], at = from, lasting = "7s", ratio = ratio }
fault.partition { db.node[3], db.node[1], at = "8s", lasting = "2500ms" }
fault.partition { db.node[3], db.node[2], at = "8s", lasting = "2500ms" }
fault.down { db.node[1], at = "10s", lasting = "300ms" }
fault.down { db.node[2], at = "10s", lasting = "8s" }
expect "all is there" { at_end = db.lost_acks:equals(0) }
