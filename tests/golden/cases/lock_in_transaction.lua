-- A table's lock, held by somebody, makes statements wait that name the table: alone, and inside
-- transactions, but not those that name another, nor COMMIT. Pools in all modes run dry.
local mode = param("mode", { "none", "session", "transaction", "statement" })
scenario "Whoever names the table waits" { duration = "20s" }

local db = database "db" {
    query_time = "1ms", lock_timeout = "3s",
    pool = mode ~= "none" and { mode = mode, size = 5, queue_timeout = "500ms" } or nil,
    schema = "create table orders(id integer primary key); create table notes(id integer primary key)",
}
local web = service "web" { concurrency = 200, handle = {
    ["POST /order"] = function(req)
        local before = now()
        if mode == "statement" then
            local r = req:sql { db, "insert into orders values (?)", { req.key }, timeout = "4s" }
            return r.ok and 200 or 503
        end
        local r = req:transaction({ db, timeout = "4s" }, function(tx)
            tx:sql("insert into notes values (?)", { req.key })
            tx:sql("insert into orders values (?)", { req.key })
        end)
        if now() - before > dur "1s" and r.ok then mark "an order has waited" end
        if r.code == "55P03" then mark "an order gave up" end
        return r.ok and 200 or 503
    end,
} }
local users = traffic "users" { to = web, op = "POST /order", rate = "2/s", arrivals = "constant" }
fault.lock { db, table = "orders", at = "3s", lasting = "2500ms" }
fault.connection_exhaustion { db, limit = 0, at = "12s", lasting = "3s" }

if mode ~= "statement" then
    expect "orders inside transactions wait" { eventually = happened "an order has waited",
        within = "8s" }
end
expect "none gives up" { never = happened "an order gave up" }
expect "in the end all is well" {
    always = users.success.ratio:above "99%", during = { after = "17s", lasting = "3s" },
}
