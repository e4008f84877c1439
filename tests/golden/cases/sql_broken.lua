-- Writes that get to the wrong place under SQLite. While the power is on nobody notices: the system's
-- cache has what was written. A node that lost its power comes back with a file that is not whole:
-- one of a cluster is rebuilt from the others, one that is alone stays out.
scenario "A disk writes to wrong places" { duration = "60s", warmup = "1s" }

local schema = [[
    create table t(id integer primary key, n int not null, text text);
    create index t_n on t(n);
]]
local seed = [[
    with recursive c(i) as (values(1) union all select i + 1 from c where i < 500)
    insert into t select i, 0, hex(zeroblob(200)) from c;
]]
local trio = database "trio" { nodes = 3, replication = "sync", schema = schema, seed = seed,
    failover = { detect = "1s", promote = "1s" } }
local lone = database "lone" { schema = schema, seed = seed }
local update = "update t set n = n + 1, text = hex(randomblob(200)) where id = 1 + :key % 500"
local both = traffic "both" { to = trio, op = update, rate = "100/s", timeout = "1s" }
local alone = traffic "alone" { to = lone, op = update, rate = "100/s", timeout = "1s" }

for _, db in ipairs { trio, lone } do
    fault.misdirected_write { db.node[1], at = "5s", lasting = "15s", ratio = "20%" }
    fault.down { db.node[1], at = "25s", lasting = "5s" }
end

expect "nobody notices before" { always = both.success.ratio:equals "100%",
    except = { after = "24s", lasting = "10s" } }
expect "SQLite does, when it is read again" { at_end = trio.corrupt:equals(1) }
expect "and of the lone one" { at_end = lone.corrupt:equals(1) }
expect "which stays out" { always = alone.success.ratio:equals "0%", except = { after = "0s",
    lasting = "26s" } }
expect "the cluster has lost nothing" { always = trio.lost_acks:equals(0) }
expect "and its node follows again" { at_end = trio.lag.records:at_most(2) }
