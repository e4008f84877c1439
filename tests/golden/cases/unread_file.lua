-- A database with files opens them in each new process: what the disk has lost, or written in
-- another place, shows without a loss of power. What is only in a cache, or torn, does not.
local kind = param("kind", { "fsync_lie", "lost_write", "misdirected_write", "torn_write" })
local engine = param("engine", { "files", "log" })
local ends = param("ends", { "never", "killed" })

scenario "A file is read again by the next process" { duration = "40s", warmup = "1s" }

local db = database "db" { nodes = 1, schema = engine == "files" and "create table t(n int)" or nil }
local web = service "web" { handle = { ["POST /"] = function(req)
  if engine == "log" then return req:call { db, "write x" }.ok and 200 or 503 end
  return req:sql({ db, "insert into t values (1)" }).ok and 200 or 503
end } }
traffic "users" { to = web, op = "POST /", rate = "50/s", timeout = "1s" }

fault[kind] { db, at = "10s", lasting = "10s" }
if ends == "killed" then fault.kill { db, at = "15s", lasting = "1s" } end

expect "less than all is lost" { at_end = db.lost_acks:below(1900) }
