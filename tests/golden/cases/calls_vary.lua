-- What a handler's call means is remembered by what its table says: each of these says another.
scenario "Calls that say something else each time" { duration = "4s" }

local db = database "db" { query_time = "10ms" }
local other = service "other" { service_time = "1ms" }

local function outcomes(req)
    local seen = {}
    local function try(call)
        local r = req:call(call)
        seen[#seen + 1] = r.outcome
        return r
    end
    for i = 1, 2 do
        try { db, "select a", timeout = "1s" }
        try { db, "select a", timeout = "5ms" }
        try { db, "select a", timeout = dur "5ms" }
        try { db, "select a", timeout = "1s", retries = 1 }
        try { other, timeout = "1s" }
        try { other, timeout = "1us" }
        try { db, "write a", timeout = "1s", key = i, value = "v" .. i }
    end
    local body = { db, "select a" }
    for i = 1, 3 do -- one table, and what it says is changed
        body.timeout = i == 2 and "5ms" or "1s"
        try(body)
    end
    local last = try { db, "select a", timeout = "1s", key = 2 }
    seen[#seen + 1] = last.value
    return table.concat(seen, " ")
end

local wanted = ("ok timeout timeout ok ok timeout ok "):rep(2) .. "ok timeout ok ok v2"

local api = service "api" {
    handle = { ["GET /"] = function(req) return outcomes(req) == wanted and 200 or 500 end },
}

traffic "users" { to = api, op = "GET /", rate = "10/s" }

expect "each call was the one that was meant" { at_end = api.errors.ratio:equals(0) }
