-- s09_alertmanager.lua ALERT_CASES FILE — S09: Alertmanager's acceptance tests of sending,
-- inhibiting and silencing, as alertmanager_cases.json has them; TAP.
--
-- What is pushed is played by alert_cases.c; each notification that is wanted must come in its
-- window with these alerts, their beginnings and ends, and none besides. Where the file is not,
-- nothing is tested: unit/test_alert_manager.c has rows of its own.
local player, path = arg[1], arg[2]
local file = io.open(path)
if not file then
    print "1..0 # SKIP no cases here"
    os.exit(true, true)
end

--- The file is plain: no escapes, and null only where nothing is said.
local function read_json(text)
    local strings = {}
    text = text:gsub('"([^"]*)"', function(s)
        strings[#strings + 1] = s
        return ("S(%d)"):format(#strings)
    end)
    text = text:gsub("%[", "{"):gsub("%]", "}"):gsub("(S%(%d+%))%s*:", "[%1] ="):gsub("null", "nil")
    local S = function(i) return strings[i] end
    return assert(load("local S = ... return " .. text, "json", "t", {}))(S)
end

local function sorted_pairs(t)
    local names, i = {}, 0
    for k in pairs(t) do names[#names + 1] = k end
    table.sort(names)
    return function()
        i = i + 1
        return names[i], t[names[i]]
    end
end

local function key_of(labels)
    local out = {}
    for name, value in sorted_pairs(labels) do out[#out + 1] = name .. "=" .. value end
    return table.concat(out, " ")
end

--- A letter for each set of labels that is pushed, in the order they come.
local function letters(case)
    local by_key, list = {}, {}
    for _, p in ipairs(case.push) do
        local key = key_of(p.labels)
        if not by_key[key] then
            by_key[key] = string.char(65 + #list)
            list[#list + 1] = key
        end
    end
    return by_key, list
end

local function one(t)
    local name, value = next(t)
    assert(next(t, name) == nil, "one label each")
    return name, value
end

local function script(case)
    local by_key, list = letters(case)
    local r, out = case.route, {}
    local function say(...) out[#out + 1] = table.concat({ ... }, " ") end
    say("route", r.group_wait_s, r.group_interval_s, r.repeat_interval_s, table.unpack(r.group_by))
    if case.resolve_timeout_s then say("timeout", case.resolve_timeout_s) end
    for _, s in ipairs(case.silences or {}) do
        local name, value = one(s.match or s.match_re)
        assert(s.match or value == ".+", "of expressions only the one that matches anything")
        say("silence", s.start, s.deleted_at or s["end"], name, s.match and value or "*")
    end
    for _, i in ipairs(case.inhibit or {}) do
        local a, x = one(i.source)
        local b, y = one(i.target)
        say("inhibit", a, x, b, y, table.unpack(i.equal))
    end
    for i, key in ipairs(list) do say("alert", string.char(64 + i), key) end
    for _, p in ipairs(case.push) do
        say("send", p.t, by_key[key_of(p.labels)], p.startsAt, p.endsAt or -1)
    end
    say("run", case.want[#case.want].window_s[2])
    return table.concat(out, "\n") .. "\n", by_key
end

local function played(text)
    local name = os.tmpname()
    local input = assert(io.open(name, "w"))
    input:write(text)
    input:close()
    local pipe = assert(io.popen(("%s < %s"):format(player, name)))
    local told = pipe:read "a"
    pipe:close()
    os.remove(name)
    local list = {}
    for at, alerts in told:gmatch "([%d.]+) ([^;\n]+)" do
        local each = {}
        for alert in alerts:gmatch "%S+" do each[#each + 1] = alert end
        table.sort(each)
        list[#list + 1] = { at = tonumber(at), alerts = table.concat(each, " ") }
    end
    return list
end

local function wanted(want, by_key)
    local each = {}
    for i, a in ipairs(want.alerts) do
        each[i] = ("%s(%g-%s)"):format(by_key[key_of(a.labels)], a.startsAt,
            a.endsAt and ("%g"):format(a.endsAt) or "")
    end
    table.sort(each)
    return table.concat(each, " ")
end

local tests, failed = 0, 0
local function check(name, ok, ...)
    tests = tests + 1
    if not ok then
        failed = failed + 1
        print("# " .. (...):format(select(2, ...)))
    end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", tests, name))
end

local function is_it(told, want, text)
    return told ~= nil and told.at >= want.window_s[1] and told.at <= want.window_s[2]
        and told.alerts == text
end
local A = { at = 2, alerts = "A(1-)" }
assert(is_it(A, { window_s = { 2, 2.5 } }, "A(1-)"), "the comparison says yes")
assert(not is_it(A, { window_s = { 2.1, 2.5 } }, "A(1-)") and not is_it(A,
    { window_s = { 2, 2.5 } }, "A(1-2)"), "and no")

for _, case in ipairs(read_json(file:read "a").cases) do
    local text, by_key = script(case)
    local told = played(text)
    for i, want in ipairs(case.want) do
        local expected, got = wanted(want, by_key), told[i] or { at = -1, alerts = "nothing" }
        check(("%s, from %g s"):format(case.name, want.window_s[1]), is_it(told[i], want, expected),
            "%s at %g, not %s", got.alerts, got.at, expected)
    end
    check(case.name .. ", and nothing else", #told == #case.want, "%d notifications, not %d", #told,
        #case.want)
end
print(("1..%d"):format(tests))
os.exit(failed == 0, true)
