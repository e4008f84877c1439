-- Two masters of one table, 50 ms apart and cut off from each other for 20 s. Rows are inserted under
-- the same keys, counted up and deleted on both sides; writes stop, and the tables are the same.
local rule = param("rule", { "last_writer_wins", "first_writer_wins" })

scenario "Two masters of a table" { duration = "90s", xfail = { rule = "first_writer_wins" } }

local both = region "both" { zones = { "a", "b" }, latency = "50ms" }
local db = database "shop" {
    nodes = 2, spread = both, replication = "multi", conflict = rule,
    schema = "create table stock(item integer primary key, n int not null, who text)",
    seed = "insert into stock values (1, 0, 'seed'), (2, 0, 'seed'), (3, 0, 'seed')",
}
local said = {}
local work = shape.steps { { "0s", "20/s" }, { "60s", "0/s" } }
for _, name in ipairs { "a", "b" } do
    local app = service("app-" .. name) { on = both.zone[name], handle = {
        ["POST /count"] = function(req)
            if req.key % 5 == 0 then
                req:sql { db, "delete from stock where item = ?", { 1 + req.key % 7 } }:must()
            end
            req:sql({ db, [[insert into stock values (?1, 1, ?2)
                on conflict (item) do update set n = n + 1, who = ?2]], { req.key, name } }):must()
        end,
        -- Asked at both ends once all has arrived: they must say the same.
        ["GET /all"] = function(req)
            local all = req:sql { db, "select count(*) as rows, sum(n * item) as n from stock" }
            if now() < dur "70s" then return end
            said[name] = ("%d rows, %d"):format(all.rows[1].rows, all.rows[1].n)
            if said.a and said.b and said.a ~= said.b then mark "they say different things" end
        end,
    } }
    traffic("users-" .. name) { to = app, op = "POST /count", rate = work,
        keys = dist.zipf { n = 10, skew = 0.5 } }
    traffic("looks-" .. name) { to = app, op = "GET /all", rate = "1/s" }
end
fault.partition { db.node[1], db.node[2], at = "20s", lasting = "20s" }

expect "nobody is refused" { always = db.errors.ratio:equals "0%" }
expect "rows differ meanwhile" { sometimes = db.diverged:at_least(5) }
expect "and are the same in the end" { at_end = db.diverged:equals(0) }
expect "and say the same" { never = happened "they say different things" }
expect "writes give way to others" { at_end = db.lost_updates:at_least(100) }
