-- The first request is kept, and the second handler acts on it while its own one waits.
scenario "A handler acts on another's request" { duration = "3s" }

local db = database "db" { nodes = 1, query_time = "50ms" }
local first
local app = service "app" {
    concurrency = 64,
    handle = {
        ["GET /item"] = function(req)
            first = first or req
            local row = first:call { db, "select item", timeout = "500ms" }
            return row.ok and 200 or 503
        end,
    },
}
traffic "users" { to = app, op = "GET /item", rate = "100/s" }
