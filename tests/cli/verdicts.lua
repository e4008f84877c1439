-- verdicts.lua — no verdict is given for nothing.
--
--     lua5.4 tests/cli/verdicts.lua LORENZ FOLDER
--
-- Worlds by a table: each kind of expectation, in each kind of window, of what a fault violates for
-- certain (it must fail), of what never happens (it must be inconclusive, however much else does)
-- and of what holds (it must pass). Each world is a case with one expectation, so that the verdict
-- of the run and its exit status are those of the expectation. All are run at once, shaken, and
-- swept with the same seed: the verdict is the same each time.
local lorenz, folder = arg[1], arg[2]

-- ---------------------------------------------------------------- worlds

-- `users` are those that are judged; `others` see to it that there is traffic, and something for
-- faults to touch, also where no user comes after the tenth second.
local WEB = [[
local web = service "web" { replicas = 2, concurrency = 8, service_time = "2ms" }
local db = database "db" { nodes = 2 }
local shop = service "shop" { calls = { call { db, "write", timeout = "1s" } } }
traffic "others" { to = web, rate = "20/s" }
local users = traffic "users" { to = web, timeout = "5s", rate = %s }
local buyers = traffic "buyers" { to = shop, rate = %s }
%s
]]
local MANY, FEW, NONE = '"50/s"', 'shape.steps { { "0s", "50/s" }, { "10s", "0/s" } }',
    'shape.steps { { "0s", "0/s" }, { "44s", "0/s" } }'

-- A fault for each kind of window: once, again and again, from then on.
local TIMES = {
    once = 'at = "20s", lasting = "10s"', again = 'at = "15s", lasting = "4s", every = "12s"',
    on = 'at = "20s"',
}
local HARM = {
    errors = "local harm = fault.kill { web, %s }",
    slow = 'local harm = fault.latency { web, add = "400ms", %s }',
}

-- What is judged: good while nothing is wrong, bad for certain while the fault is there.
local SUBJECTS = {
    { "errors", 'users.errors.ratio:below "50%"', 'users.errors.ratio:at_least "50%"' },
    { "errors", 'users.success.ratio:between("90%", "100%")',
        'users.success.ratio:between("0%", "89%")' },
    { "slow", 'users.latency.p99:below "200ms"', 'users.latency.p99:at_least "200ms"' },
}

-- Where it is judged: which fault, what is written, and a stretch of time without it that is
-- written likewise. No user is there in any.
local WINDOWS = {
    { "once", "during = harm" },
    { "once", 'during = { after = harm, lasting = "10s" }' },
    { "once", 'during = { after = "21s", lasting = "8s" }' },
    { "once", 'during = { { after = "21s", lasting = "3s" }, { after = "35s", lasting = "5s" } }' },
    { "again", "during = harm" },
    { "on", "during = { after = harm }" },
    { "once", 'except = { after = "0s", lasting = "12s" }' },
    { "once", 'except = { { after = "0s", lasting = "12s" }, { after = harm.ends } }' },
    { "on", 'except = { after = "0s", lasting = "12s" }, over = "3s"' },
}

local cases = {}
local function case(want, world, expectation, name)
    cases[#cases + 1] = { want = want, name = name or expectation:gsub("%s+", " "),
        text = ('scenario "case %d" { duration = "45s", warmup = "5s" }\n%s\n%s\n'):format(
            #cases + 1, world, expectation) }
end

local function expect(text) return ('expect "it" { %s }'):format(text) end

local function web(harm, time, users)
    return WEB:format(users or MANY, MANY, harm and HARM[harm]:format(TIMES[time]) or "")
end

for _, s in ipairs(SUBJECTS) do
    for _, w in ipairs(WINDOWS) do
        local harm, good, bad = s[1], s[2], s[3]
        for _, say in ipairs { "always = " .. good, "never = " .. bad } do
            local text = expect(say .. ", " .. w[2])
            case("fail", web(harm, w[1]), text)
            case("inconclusive", web(harm, w[1], FEW), text)
        end
        local text = expect("sometimes = " .. bad .. ", " .. w[2])
        case("pass", web(harm, w[1]), text)
        case("inconclusive", web(harm, w[1], FEW), text)
        if not w[2]:find "harm" then -- nothing is wrong
            case("pass", web(nil, w[1]), expect("always = " .. good .. ", " .. w[2]))
            case("inconclusive", web(nil, w[1]), text)
        end
    end
    local at_end = expect("at_end = " .. s[2] .. ', over = "10s"')
    case("fail", web(s[1], "on"), at_end)
    case("inconclusive", web(s[1], "on", FEW), at_end)
    case("pass", web(s[1], "once"), at_end)
    for _, within in ipairs { "5s", '5s", holding = "3s' } do
        local eventually = expect(('eventually = %s, after = harm, within = "%s"'):format(s[2],
            within))
        case("fail", web(s[1], "on"), eventually)
        case("fail", web(s[1], "once"), eventually)
        case("inconclusive", web(s[1], "on", FEW), eventually)
        case("pass", web(s[1], "once"), (eventually:gsub("harm", "harm.ends")))
        case("inconclusive", web(s[1], "once", FEW), (eventually:gsub("harm", "harm.ends")))
    end
end

-- What has errors to spend: all of it, and in a window that nobody came in.
local SLO = 'slo "it" { of = users, objective = "99%%"%s }'
case("fail", web("errors", "once"), SLO:format "")
case("fail", web("errors", "once"), SLO:format ', over = "10s"')
case("pass", web(nil), SLO:format "")
case("inconclusive", web(nil, nil, NONE), SLO:format "")
case("inconclusive", web(nil, nil, NONE), SLO:format ', over = "10s"')

-- Windows that no whole second lies in, marks that nobody sets, faults that do not come.
local NARROW = { 'during = { after = "20500ms", lasting = "1s" }',
    'during = { after = harm, lasting = "500ms" }',
    'during = { after = "20s", lasting = "2s" }, over = "3s"',
    'during = { after = happened "never set" }', 'except = { after = "0s" }' }
for _, w in ipairs(NARROW) do
    case("inconclusive", web("errors", "once"), expect("always = users.rate:above '1/s', " .. w))
    case("inconclusive", web("errors", "once"), expect("never = users.rate:above '1/s', " .. w))
    if not w:find "over" then
        case("inconclusive", web("errors", "once"),
            expect('never = happened "never set either", ' .. w))
    end
end
case("inconclusive", web("errors", "once"),
    expect 'eventually = users.rate:above "1/s", after = happened "never set", within = "5s"')

-- Drives mark what happened.
local MARKS = web("errors", "once")
    .. 'drive("marks", function() sleep "24s" mark "it" end)'
case("fail", MARKS, expect 'never = happened "it"')
case("fail", MARKS, expect 'never = happened "it", during = harm')
case("pass", MARKS, expect 'never = happened "it", except = harm')
case("fail", MARKS, expect 'eventually = happened "it", after = harm, within = "3s"')
case("pass", MARKS, expect 'eventually = happened "it", after = harm, within = "5s"')
case("fail", MARKS, expect 'at_end = happened "that"')
case("inconclusive", MARKS, expect 'sometimes = happened "that"')
case("inconclusive", MARKS, expect 'sometimes = happened "it", except = harm')

-- A window that is a fault is over when a drive stops it: what is bad after that is not in it.
local STOPPED = WEB:format(MANY, MANY, [[
local harm = fault.latency { web, add = "1ms", at = "15s", lasting = "10s"%s }
fault.kill { web, at = "%s", lasting = "3s" }
drive("operator", function() sleep "%s" assert(harm:stop()) end)
]])
local GOOD = 'always = users.errors.ratio:below "50%", '
for _, row in ipairs { { "", "20s", "18s", "pass" }, { "", "16s", "20s", "fail" },
    { ', every = "12s"', "33s", "31s", "pass" }, { ', every = "12s"', "33s", "18s", "fail" },
    { ', every = "12s"', "20s", "18s", "pass" } } do
    local world = STOPPED:format(row[1], row[2], row[3])
    case(row[4], world, expect(GOOD .. "during = harm"))
    case(row[4] == "pass" and "fail" or "pass", world, expect(GOOD .. "except = harm"))
end

-- A function that says no, and one that says nothing.
case("fail", web(nil), 'check("it", function() return false, "no" end)')
case("pass", web(nil), 'check("it", function() return true end)')

-- What is counted: of a database that loses writes, and of one that nobody writes to.
local DATA = WEB:format(MANY, MANY, [[
local other = database "other" { nodes = 2 }
local slow = database "slow" { nodes = 2, replication = "async", failover = { detect = "2s" } }
link { slow, slow, latency = "300ms" }
local lost = service "lost" { calls = { call { slow, "write", timeout = "2s" } } }
traffic "losers" { to = lost, rate = "50/s" }
fault.replication_lag { slow, add = "5s", at = "15s", lasting = "10s" }
local harm = fault.kill { slow.primary, at = "20s" }
]])
local LOST = { "always = slow.lost_acks:equals(0)", "never = slow.lost_acks:above(0)",
    "at_end = slow.lost_acks:equals(0)",
    "always = slow.lost_acks:equals(0), during = { after = harm }" }
for _, text in ipairs(LOST) do
    case("fail", DATA, expect(text))
    case("inconclusive", DATA, expect((text:gsub("slow%.", "other."))))
end

-- An alert that cannot have fired yet: the run, or what is looked at of it, is no longer than the
-- rule has to be true.
local RULE = [[

monitoring "prometheus" { scrape_interval = "1s", evaluation_interval = "1s" }
local page = alert "page" { when = users.errors.ratio:above "5%%", pending = "%s" }
]]
for _, row in ipairs {
    { "pass", "30s", "" }, { "inconclusive", "45s", "" },
    { "inconclusive", "30s", ', during = { after = "5s", lasting = "20s" }' },
    { "pass", "30s", ', during = { after = "25s", lasting = "10s" }' },
    { "pass", "30s", ', except = { after = "0s", lasting = "20s" }' },
    { "fail", "10s", ', during = { after = "15s", lasting = "30s" }' },
} do
    local want, pending, scope = row[1], row[2], row[3]
    local harm = want == "fail" and HARM.errors:format 'at = "5s", lasting = "35s"' or ""
    case(want, web(nil) .. harm .. RULE:format(pending),
        expect("never = page.fired" .. scope), ("never fired, pending %s%s"):format(pending, scope))
end

-- Reads that could miss a write: where both are made, and where one of the two is not.
local KEPT = { db = "write", cache = "set", etcd = "put", store = "put" }
local STALE = [[
local it = %s
local shop = service "shop" { calls = { call { it, "%s", timeout = "1s" } } }
local page = service "page" { calls = { call { it, "get", timeout = "1s" } } }
%s
%s
]]
local MAKE = { db = 'database "it" { nodes = 2 }', etcd = 'consensus "it" { nodes = 3 }',
    cache = 'cache "it" { entries = 10 }', store = 'store "it" {}' }
for _, kind in ipairs { "db", "cache", "etcd", "store" } do
    for _, rates in ipairs { "11", "10", "01" } do
        local want = rates == "11" and "pass" or "inconclusive"
        local writes = rates:sub(1, 1) == "1" and 'traffic "w" { to = shop, rate = "9/s" }' or ""
        local reads = rates:sub(2, 2) == "1" and 'traffic "r" { to = page, rate = "9/s" }' or ""
        case(want, STALE:format(MAKE[kind], KEPT[kind], writes, reads),
            expect "always = it.stale_reads:equals(0)",
            ("stale reads of %s %s"):format(kind, rates))
    end
end

-- What can only be counted where something is asked: of what nobody asks, and of what is asked.
local COUNTED = {
    { 'database "it" { nodes = 2 }', "write", "conflicts diverged deadlocks lock_timeouts "
        .. "serialization_failures lost_updates stale_tokens lag.records connections.refused "
        .. "handshakes.refused pool.timeouts errors.rate" },
    { 'cache "it" { entries = 9999 }', "set", "expired evictions stale_tokens lost_acks "
        .. "turned_away.cross_slot turned_away.down errors.rate" },
    { 'store "it" {}', "put", "throttled conflicts lost_updates stale_tokens errors.rate" },
    { 'consensus "it" { nodes = 3 }', "put", "lost lost_acks expired errors.rate" },
}
local ASKED = [[
local it = %s
local shop = service "shop" { calls = { call { it, "%s", timeout = "1s" } } }
traffic "w" { to = shop, rate = "%s" }
traffic "others" { to = service "other" {}, rate = "9/s" }
]]
for _, row in ipairs(COUNTED) do
    for metric in row[3]:gmatch "%S+" do
        local text = metric == "errors.rate" and 'never = it.errors.rate:above "0/s"'
            or ("never = it.%s:above(%s)"):format(metric, metric == "lag.records" and 50 or 0)
        local name = row[1]:match "%a+" .. ": " .. text
        case("inconclusive", ASKED:format(row[1], row[2], "0/s"), expect(text), name)
        case("pass", ASKED:format(row[1], row[2], "9/s"), expect(text), name)
    end
end
local LOG = [[
local it = topic "it" { on = broker "kafka" { nodes = 3 } }
local readers = consumers "readers" { of = it }
traffic "w" { to = it, rate = "%s" }
traffic "others" { to = service "other" {}, rate = "9/s" }
]]
for metric in ("readers.duplicates readers.failed readers.lost readers.lag.records it.expired "
    .. "it.duplicates it.lost_acks"):gmatch "%S+" do
    local text = ("never = %s:above(%s)"):format(metric, metric:find "lag" and 50 or 0)
    case("inconclusive", LOG:format "0/s", expect(text))
    case("pass", LOG:format "9/s", expect(text))
end
local SAVED = ASKED:format('database "it" { backup = { full = "%s", drill = "%s" } }', "write",
    "9/s")
for _, row in ipairs { { "10s", "15s", "pass" }, { "1h", "1h", "inconclusive" } } do
    case(row[3], SAVED:format(row[1], row[2]), expect "always = it.drills.failed:equals(0)",
        ("drills each %s"):format(row[2]))
    case(row[3], SAVED:format(row[1], row[2]), expect 'always = it.rto:below "1h"',
        ("what restoring takes, drilled each %s"):format(row[2]))
end

-- What a chaos brings again and again has bitten if one of them has; one that brings nothing has
-- not.
local STORM = [[
local idle = service "idle" {}
chaos "storm" { %s, together = 4 }
]]
local SLOWED = 'fault.latency { %s, add = "5ms", mtbf = "%s", lasting = "%s" }'
local CALM = expect 'always = users.success.ratio:at_least "1%"'
for _, row in ipairs {
    { "pass", SLOWED:format("web", "3s", "20ms") },
    { "inconclusive", SLOWED:format("idle", "3s", "1s") },
    { "inconclusive", SLOWED:format("web", "3s", "1s") .. ",\n  "
        .. SLOWED:format("idle", "3s", "1s") },
    { "inconclusive", SLOWED:format("web", "100d", "1s") },
} do
    case(row[1], web(nil) .. STORM:format(row[2]), CALM, "chaos of " .. row[2]:gsub("%s+", " "))
end

-- ---------------------------------------------------------------- histories

-- Each word, of something that nobody asks, beside traffic enough; and where one wrong handler
-- violates it for certain.
local KINDS = {
    db = 'local it = database "it" {}', etcd = 'local it = consensus "it" { nodes = 3 }',
    cache = 'local it = cache "it" { entries = 10 }', store = 'local it = store "it" {}',
    topic = 'local it = topic "it" { on = broker "kafka" { nodes = 1 } }',
}
local HISTORIES = { linearizable = "db etcd cache store", serializable = "db etcd cache store",
    conserved = "db", mutual_exclusion = "etcd cache", fenced = "db cache store",
    read_your_writes = "db etcd cache store", monotonic_reads = "db etcd cache store",
    monotonic_writes = "db etcd cache store", writes_follow_reads = "db etcd cache store",
    converges = "db etcd cache store", counter = "cache store", set = "cache db",
    unique_ids = "cache store", log_intact = "topic" }
local words = {}
for word in pairs(HISTORIES) do words[#words + 1] = word end
table.sort(words)
for _, word in ipairs(words) do
    for kind in HISTORIES[word]:gmatch "%a+" do
        case("inconclusive", web(nil) .. KINDS[kind], expect(word .. " = it"),
            word .. " of " .. kind)
    end
end

local LIES = [[
local ids, seen = 0, 0
local it = service "it" { handle = {
  ["POST /"] = function(req) seen = seen + 1 return 200 end,
  ["GET /"] = function(req) return 200, %s end,
  ["POST /id"] = function(req) ids = ids + 1 return 200, ids // 2 end,
} }
]]
local ASKS = [[
traffic "adders" { to = it, op = "POST /", rate = "5/s" }
traffic "readers" { to = it, op = "GET /", rate = "5/s" }
traffic "askers" { to = it, op = "POST /id", rate = "5/s" }
]]
local ROLES = {
    { "counter = it, adds = { 'POST /' }, reads = { 'GET /' }", "seen // 2" },
    { "set = it, adds = { 'POST /' }, reads = { 'GET /' }", "999999" },
    { "unique_ids = it, generates = { 'POST /id' }", "0" },
}
for _, row in ipairs(ROLES) do
    case("fail", web(nil) .. LIES:format(row[2]) .. ASKS, expect(row[1]))
    case("inconclusive", web(nil) .. LIES:format(row[2]), expect(row[1]))
end

-- Of a lagging copy that is read: what one wrote, what all saw.
local LAGS = web(nil) .. [[
local it = database "it" { nodes = 3, reads = "replicas", failover = false }
link { it, it, latency = "500ms" }
local app = service "app" { handle = { ["POST /"] = function(req)
  req:call { it, "write", key = 1, timeout = "5s" }
  for _ = 1, 4 do req:call { it, "read", key = 1, timeout = "5s" } end
  return 200
end } }
traffic "writers" { to = app, op = "POST /", rate = "2/s", timeout = "20s" }
]]
for _, word in ipairs { "linearizable", "read_your_writes" } do
    case("fail", LAGS, expect(word .. " = it"), word .. " of what lags")
end

-- ---------------------------------------------------------------- all of them, three ways

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end
os.execute(("rm -rf %s && mkdir -p %s/s"):format(quote(folder), quote(folder)))
for i, c in ipairs(cases) do
    local file <close> = assert(io.open(("%s/s/%d.lua"):format(folder, i), "w"))
    file:write(c.text)
end

local function result_of(options)
    os.execute(("cd %s && %s %s -q -o json=result.json s >log 2>&1"):format(quote(folder),
        quote(lorenz), options))
    local file <close> = io.open(folder .. "/result.json")
    return file and file:read "a" or ""
end

local function runs_of(options)
    local found = {}
    for number, verdict, rest in result_of(options):gmatch
        '{"file":"s/(%d+)%.lua",.-"verdict":"(%a+)"([^\n]*)' do
        local hash, why = rest:match '"trace_hash":"(%x+)"', rest:match '"actual":"([^"]*)"'
        found[tonumber(number)] = { verdict = verdict, hash = hash, why = why }
    end
    return found
end

local function swept()
    local found = {}
    local text = result_of "sweep --seeds 1 --no-save --no-shrink"
    for number, passed, failed, open in text:gmatch
        '{"file":"s/(%d+)%.lua","params".-"passed":(%d+),"failed":(%d+),"inconclusive":(%d+)' do
        found[tonumber(number)] = { verdict = passed == "1" and "pass" or failed == "1" and "fail"
            or open == "1" and "inconclusive" or "broken" }
    end
    -- Of what happens `sometimes` no run says no: all of them together do.
    for number, runs, reached in (text:match '"sometimes":(.*)' or ""):gmatch
        '{"file":"s/(%d+)%.lua",.-"runs":(%d+),"reached":(%d+)}' do
        local is_unseen = runs == "1" and reached == "0"
        if is_unseen then found[tonumber(number)].verdict = "inconclusive" end
    end
    return found
end

local ways = { { "run", runs_of "run --keep none" },
    { "shaken", runs_of "run --keep none --shake" },
    { "swept", swept() } }
print("1.." .. #cases)
local is_good = true
for i, c in ipairs(cases) do
    local wrong = {}
    for _, way in ipairs(ways) do
        local got = way[2][i] or { verdict = "none" }
        if got.verdict ~= c.want then
            wrong[#wrong + 1] = ("# %s: %s, %s"):format(way[1], got.verdict, got.why or "")
        end
    end
    is_good = is_good and #wrong == 0
    print(("%s %d - %s: %s"):format(#wrong == 0 and "ok" or "not ok", i, c.want, c.name))
    if #wrong > 0 then
        print(table.concat(wrong, "\n") .. "\n" .. c.text:gsub("[^\n]+", "#   %0"))
    end
end
os.exit(is_good, true)
