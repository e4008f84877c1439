-- Tables of calls that lie alike in memory, and yet each says something else than the one before;
-- a request's object and a call's result that the script does something with.
scenario "Calls that are nearly alike" { duration = "6s" }

local db = database "db" { query_time = "10ms" }
local other = service "other" { service_time = "1ms" }

local seen

local function see(v) seen[#seen + 1] = tostring(v) end

-- One line that makes every table, so that they differ in what it is given alone.
local function try(req, to, op, timeout, key, value, retries)
    local r = req:call { to, op, timeout = timeout, key = key, value = value, retries = retries }
    see(r.outcome)
    return r
end

local function vary(req)
    for i = 1, 2 do -- the second time each has been said before
        try(req, db, "select a", "1s")
        try(req, db, "select a", "5ms")
        try(req, db, "select a", "1s", nil, nil, 1)
        try(req, other, nil, "1s")
        try(req, other, nil, "1us")
        try(req, db, "write a", "1s", 7, "text")
        see(try(req, db, "select a", "1s", 7).value)
        try(req, db, "write a", "1s", 7, i)
        see(try(req, db, "select a", "1s", 7).value)
        try(req, db, "write a", "1s", "seven", true)
        see(try(req, db, "select a", "1s", "seven").value)
        see(try(req, db, "select a", "1s", 7).value)
        see(try(req, db, "select a", "1s", 8).value)
    end
end

-- What is wrong is said, however much what it lies like is right.
local function mistakes(req)
    local function wrong(body)
        local ok, why = pcall(req.call, req, body)
        see(not ok and why:match "req:call[^\n]*" or "taken")
    end
    for _ = 1, 2 do
        wrong { db, "select a", timeout = "1s" }
        wrong { db, "select a", timeuot = "1s" }
        wrong { db, "select a", timeout = "1 s or so" }
        wrong { db, "select a", timeout = "1s", key = 1.5 }
        wrong { "db", "select a", timeout = "1s" }
        wrong(setmetatable({ db, "select a", timeout = "1s" }, { __index = {} }))
    end
end

-- A result is a table as any other.
local function results(req)
    local r = try(req, db, "select a", "1s", 7)
    local names = {}
    for name, v in pairs(r) do names[#names + 1] = name .. "=" .. tostring(v) end
    see(table.concat(names, " "))
    local kept = try(req, db, "select a", "1s", 8)
    r.value, r.more, r.again, r[1] = "mine", 1, 2, 3
    kept.value = { 4 }
    names = {}
    for name, v in pairs(r) do names[#names + 1] = name .. "=" .. tostring(v) end
    see(table.concat(names, " ") .. " " .. kept.value[1] .. " " .. #r)
    r.ok, r.status = nil, nil
    see(tostring(r.ok) .. tostring(r.status) .. r.outcome .. next(kept))
end

-- Whatever a script writes into the object, the next request has its own key, operation and value.
local function object(req)
    see(("%s %s %s %s"):format(req.op, math.type(req.key), req.value, req.more))
    for _, name in ipairs { "again", "mine", "more" } do req[name] = (req[name] or 0) + 1 end
    req.key, req.op, req.value = "mine", 1, {}
    if req.more % 2 == 0 then req.key, req.op, req.value = nil, nil, nil end
end

local function varied(i)
    return ("ok timeout ok ok timeout ok ok text ok ok %d ok ok true ok %d ok nil "):format(i, i)
end
local WANTED = varied(1) .. varied(2) .. "ok ok=true outcome=ok status=200 value=2 "
    .. "ok 1=3 again=2 more=1 ok=true outcome=ok status=200 value=mine 4 1 nilnilokok "
local WRONG = "taken; req:call has no field `timeuot`; req:call: unknown unit `sorso` in a duration; "
    .. "req:call: `key`: a key is a text or an integer, got 1.5; req:call: the first entry is what "
    .. 'is called, got "db"; taken; '

local served = 0

local function is_as_wanted(req)
    seen = {}
    vary(req)
    results(req)
    local said = table.concat(seen, " ") .. " "
    seen = {}
    mistakes(req)
    local wrong = table.concat(seen, "; ") .. "; "
    seen = {}
    object(req)
    served = served + 1
    local before = served > 1 and served - 1 or nil
    return said == WANTED and wrong == WRONG:rep(2)
        and seen[1] == ("GET / integer nil %s"):format(before)
end

local api = service "api" {
    handle = {
        ["GET /"] = function(req) return is_as_wanted(req) and 200 or 500 end,
        ["PUT /"] = function(req) return req.value == 5 and req.op == "PUT /" and 200 or 500 end,
    },
}
local front = service "front" {
    handle = { ["GET /"] = function(req)
        local one = req:call { api, "GET /", timeout = "5s" }
        local two = req:call { api, "PUT /", value = 5 }
        return one.ok and two.ok and 200 or 500
    end },
}

traffic "users" { to = front, op = "GET /", rate = "1/s" }

expect "each did what it was to" { at_end = front.errors.ratio:equals(0) }
