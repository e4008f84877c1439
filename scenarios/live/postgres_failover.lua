-- A primary is cut off from its standby, goes on for two seconds, and dies. With synchronous
-- replication nobody was told that an order was written that is gone; with asynchronous some were.
--
-- PostgreSQL 15 as Debian has it; it refuses to run as root, so it is run as the user postgres.
local mode = param("mode", { "sync", "async" })

scenario "An order that was confirmed outlives the primary" {
  about    = "Primary cut off, then killed; the standby is promoted. Are confirmed orders there?",
  tags     = { "live", "postgres", "failover" },
  duration = "20s",
  warmup   = "2s",
  xfail    = { mode = "async" }, -- what is written while the standby is cut off is gone with it
}

local bin = "/usr/lib/postgresql/15/bin/"
local to_primary = "host=127.0.0.1,127.0.0.1 port={{pg-1.direct_port}},{{pg-2.direct_port}} "
  .. "user=postgres dbname=postgres target_session_attrs=read-write connect_timeout=2"

local function server(extra)
  local argv = { bin .. "postgres", "-D", "{{dir}}/data", "-p", "{{port}}",
    "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", }
  for _, word in ipairs(extra) do argv[#argv + 1] = word end
  return argv
end

local answers = { command = { bin .. "pg_isready", "-q", "-h", "127.0.0.1", "-p", "{{port}}" } }

local pg_1 = process "pg-1" {
  user  = "postgres",
  setup = { { bin .. "initdb", "-D", "{{dir}}/data", "-A", "trust", "-U", "postgres", "-N" } },
  run   = server(mode == "sync" and { "-c", "synchronous_standby_names=pg_2" } or {}),
  ready = answers, stop_signal = "INT",
}

local pg_2 = process "pg-2" {
  user     = "postgres",
  connects = pg_1, -- what streams to it goes through a proxy, and can be cut
  setup    = {
    { bin .. "psql", "-qX", "-h", "127.0.0.1", "-p", "{{pg-1.port}}", "-U", "postgres", "-c",
      "set synchronous_commit = local; create table orders (id uuid primary key)" },
    { bin .. "pg_basebackup", "-D", "{{dir}}/data", "-R", "-c", "fast", "-d",
      "host=127.0.0.1 port={{pg-1.port}} user=postgres application_name=pg_2" },
  },
  run   = server {},
  ready = answers, stop_signal = "INT",
}

-- What Patroni, repmgr or an operator does: look four times, a quarter of a second apart.
process "keeper" {
  user     = "postgres",
  connects = pg_2, -- starts after it
  ready    = { command = { "true" } },
  run      = { "sh", "{{dir}}/keeper.sh" },
  files    = { ["keeper.sh"] = [[
    misses=0
    while [ $misses -lt 4 ]; do
      sleep 0.25
      if ]] .. bin .. [[pg_isready -q -t 1 -h 127.0.0.1 -p {{pg-1.direct_port}}; then
        misses=0
      else
        misses=$((misses + 1))
      fi
    done
    ]] .. bin .. [[pg_ctl promote -D {{pg-2.dir}}/data
    exec sleep 3600
  ]] },
}

local db = database "orders" {
  engine = "postgres", nodes = 2, replication = mode,
  failover = { detect = "1s", promote = "500ms" },
  live = { pg_1, pg_2 },
}

local users = traffic "customers" {
  to = db, op = "write order", rate = "5/s", timeout = "3s", beside = true,
  live = { command = { "sh", "-c", [[
    id=$(psql -qAtX "$0" -c 'insert into orders values (gen_random_uuid()) returning id') &&
    [ -n "$id" ] && echo "$id" >> {{run.dir}}/confirmed
  ]], to_primary } },
}

-- Of what was confirmed, what the primary of now has not.
probe "lost orders" {
  measures = db.lost_acks, every = "500ms", timeout = "3s", value = true,
  command = { "sh", "-c", [[
    touch {{run.dir}}/confirmed; sort {{run.dir}}/confirmed > {{run.dir}}/asked
    psql -qAtX "$0" -c 'select id from orders' > {{run.dir}}/rows || exit 1
    sort {{run.dir}}/rows | comm -23 {{run.dir}}/asked - | wc -l
  ]], to_primary },
}

-- Each promotion begins a timeline of the log; its number is how the name of a segment begins.
probe "timelines" {
  measures = db.failovers, value = true, timeout = "3s",
  command = { "psql", "-qAtX", to_primary, "-c", "select "
    .. "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int - 1" },
}

-- what breaks ---------------------------------------------------------------
fault.partition { db.primary, db.replica[1], at = "6s", lasting = "12s" }
fault.kill { db.primary, at = "8s" }

-- what must hold ------------------------------------------------------------
expect "no confirmed order is lost" { at_end = db.lost_acks:equals(0) }

expect "the standby really took over" { at_end = db.failovers:equals(1) }

expect "there were orders that could be lost" { sometimes = users.goodput:at_least "3/s" }
