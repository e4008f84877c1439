-- s06_promql.lua PROMQL_CASES FILE — S06: promqltest's instant cases of Prometheus, as
-- promql_cases.json has them; TAP, a line for each of its files with how many pass.
--
-- All cases of tier 1 must pass; of the rest, those that do not are named with the reason, and a
-- reason that no longer stands is a failure too. Where the file is not, nothing is tested:
-- unit/test_promql_*.c have rows of their own.
local player, path = arg[1], arg[2]
local file = io.open(path)
if not file then
    print "1..0 # SKIP no cases here"
    os.exit(true, true)
end

-- What is left out on purpose, by where it stands.
local LEFT_OUT = {
    { "^info.test:", "info() is left out" },
    { "^native_histograms.test:1419$", "two native histograms add up to none: left out" },
}

-- ---------------------------------------------------------------- JSON

local NULL = {}
local ESCAPES = { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f" }

local read

local function read_string(text, at)
    local out, from = {}, at + 1
    while true do
        local i = text:find('["\\]', from)
        out[#out + 1] = text:sub(from, i - 1)
        if text:byte(i) == 34 then return table.concat(out), i + 1 end
        local c = text:sub(i + 1, i + 1)
        from = i + 2
        if c == "u" then
            out[#out + 1] = utf8.char(tonumber(text:sub(i + 2, i + 5), 16))
            from = i + 6
        else
            out[#out + 1] = ESCAPES[c] or c
        end
    end
end

local function read_items(text, at, close, one)
    at = text:find("%S", at + 1)
    while text:sub(at, at) ~= close do
        at = one(at)
        at = text:find("%S", at)
        if text:sub(at, at) == "," then at = text:find("%S", at + 1) end
    end
    return at + 1
end

function read(text, at)
    at = text:find("%S", at)
    local c = text:sub(at, at)
    if c == '"' then return read_string(text, at) end
    local t = {}
    if c == "[" then
        local n = 0
        at = read_items(text, at, "]", function(i)
            n = n + 1
            t[n], i = read(text, i)
            return i
        end)
        return t, at
    elseif c == "{" then
        at = read_items(text, at, "}", function(i)
            local key, value
            key, i = read_string(text, i)
            value, i = read(text, text:find(":", i, true) + 1)
            t[key] = value
            return i
        end)
        return t, at
    end
    local word = text:match("^[%w+.-]+", at)
    local value = tonumber(word)
    if value == nil then value = word == "null" and NULL or word == "true" end
    return value, at + #word
end

-- ---------------------------------------------------------------- what is played

local out = {}

local function say(word, text)
    out[#out + 1] = word .. " " .. tostring(text):gsub("\\", "\\\\"):gsub("\n", "\\n")
end

local function number(v)
    if v == NULL then return "-" end
    if type(v) == "string" then return v end
    return ("%.17g"):format(v)
end

local function say_load(series)
    say("load", "")
    for _, s in ipairs(series) do
        local values = {}
        for i, v in ipairs(s.values) do values[i] = number(v) end
        say("every", ("%.17g"):format(s.interval_s * 1000))
        say("series", s.series)
        say("values", table.concat(values, " "))
    end
end

local function say_case(case)
    say("case", ("%d %d"):format(math.floor(case.eval_time_s * 1000 + 0.5), case.id))
    if case.file == "type_and_unit.test" then say("flags", "types") end
    say("expr", case.expr)
    if case.ordered then say("ordered", "") end
    if case.expected_scalar ~= NULL and case.expected_scalar ~= nil then
        say("scalar", number(case.expected_scalar))
    end
    for _, e in ipairs(case.expected) do say("want", number(e.value) .. " " .. e.labels) end
    say("go", "")
end

local function played(text)
    local name = os.tmpname()
    local input = assert(io.open(name, "w"))
    input:write(text)
    input:close()
    local pipe = assert(io.popen(("%s < %s"):format(player, name)))
    local verdicts = {}
    for line in pipe:lines() do
        local verdict, id, why = line:match "^(%l%l) (%d+):?%s*(.*)$"
        verdicts[tonumber(id)] = { ok = verdict == "ok", why = why }
    end
    local ended = pipe:close()
    os.remove(name)
    return verdicts, ended
end

local function left_out(case)
    for _, row in ipairs(LEFT_OUT) do
        if (case.file .. ":" .. case.line):find(row[1]) then return row[2] end
    end
end

local all = read(file:read "a", 1)
local by_load, order = {}, {}
for _, case in ipairs(all.cases) do
    if not by_load[case.load_id] then
        by_load[case.load_id] = {}
        order[#order + 1] = case.load_id
    end
    table.insert(by_load[case.load_id], case)
end
for _, id in ipairs(order) do
    say_load(all.loads[id])
    for _, case in ipairs(by_load[id]) do say_case(case) end
end
local verdicts, ended = played(table.concat(out, "\n") .. "\n")

-- ---------------------------------------------------------------- what came of it

local files, names = {}, {}
local passed, total, bad = 0, 0, 0
for _, case in ipairs(all.cases) do
    local f = files[case.file]
    if not f then
        f = { passed = 0, total = 0, tier = 0, tier_passed = 0, said = {}, wrong = 0 }
        files[case.file] = f
        names[#names + 1] = case.file
    end
    local v = verdicts[case.id] or { ok = false, why = "it was not played" }
    local reason = left_out(case)
    f.total = f.total + 1
    f.tier = f.tier + (case.tier1 and 1 or 0)
    if v.ok then
        f.passed = f.passed + 1
        f.tier_passed = f.tier_passed + (case.tier1 and 1 or 0)
    end
    if v.ok == (reason ~= nil) or (case.tier1 and not v.ok) then f.wrong = f.wrong + 1 end
    if not v.ok then
        f.said[#f.said + 1] = ("# %s:%d %s%s: %s%s"):format(case.file, case.line,
            case.tier1 and "(tier 1) " or "", case.expr:gsub("%s+", " "), v.why,
            reason and " [" .. reason .. "]" or "")
    end
end
table.sort(names)
print(("1..%d"):format(#names + 1))
for i, name in ipairs(names) do
    local f = files[name]
    for _, line in ipairs(f.said) do print(line) end
    print(("%sok %d - %s: %d of %d, of tier 1 %d of %d"):format(f.wrong > 0 and "not " or "", i,
        name, f.passed, f.total, f.tier_passed, f.tier))
    passed, total, bad = passed + f.passed, total + f.total, bad + f.wrong
end
print(("%sok %d - all of them: %d of %d"):format((bad > 0 or not ended) and "not " or "",
    #names + 1, passed, total))
