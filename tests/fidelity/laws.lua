-- laws.lua LORENZ FOLDER — Q24, operational laws as exact identities; TAP.
--
-- Little (1961); Denning and Buzen, "The Operational Analysis of Queueing Network Models" (1978):
-- identities of any run, whatever is random in it. laws/*.lua are scenarios whose users stop
-- coming before the end, so that nobody is left in the system and no boundary term remains. In
-- each, to 1e-9 of the value (counts exactly):
--
--     requests sent = answered well + failed        of each traffic
--     L = X W                                       of each traffic and service
--     U = X S, with S what a worker is held         of each service
--
-- `X`, `W`, `L`, `U` are whole-run values of rate, latency.mean, in_flight and busy.
local lorenz, folder = arg[1], arg[2]
local EXACT = 1e-9

local count, failed = 0, 0
local function check(name, ok, detail)
    count = count + 1
    if not ok then failed = failed + 1 end
    if not ok then print("# " .. detail) end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", count, name))
end

local function output(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read "a"
    pipe:close()
    return text
end

local function same(a, b)
    return math.abs(a - b) <= EXACT * math.max(math.abs(a), math.abs(b), 1e-12)
end
assert(same(1, 1 + 1e-10) and not same(1, 1 + 1e-8), "the comparison says no")

local function law(what, a, b)
    check(what, a and b and same(a, b), ("%s beside %s"):format(a, b))
end

-- Every scenario has users called `users` and services called web, front, back: what it has of
-- them.
local function check_laws(name, m)
    law(name .. ": what users send is answered or fails", m["users.rate"],
        m["users.goodput"] + m["users.errors.rate"])
    law(name .. ": Little's law of the users", m["users.in_flight"],
        m["users.rate"] * m["users.latency.mean"])
    for _, s in ipairs { "web", "front", "back" } do
        if m[s .. ".rate"] then
            law(("%s: Little's law of %s"):format(name, s), m[s .. ".in_flight"],
                m[s .. ".rate"] * m[s .. ".latency.mean"])
        end
        if m[s .. ".busy"] and not name:find "fault" then
            local workers = 4
            law(("%s: the utilisation law of %s"):format(name, s), m[s .. ".busy"] * workers,
                m[s .. ".rate"] * m[s .. ".latency.mean"]
                - m[s .. ".rate"] * (m[s .. ".queue.wait.mean"] or 0))
        end
    end
end

for path in output(("ls '%s'/*.lua"):format(folder)):gmatch "[^\n]+" do
    local name = path:match "([^/]+)%.lua$"
    local text = output(("%s run --keep none --report-only -o json=- '%s'"):format(lorenz, path))
    local metrics = {}
    for key, value in (text:match('"metrics":(%b{})') or ""):gmatch '"([^"]+)":([%d%.eE+-]+)' do
        metrics[key] = tonumber(value)
    end
    check(name .. " runs and is measured", metrics["users.rate"] ~= nil
        and metrics["users.rate"] > 0, text)
    if metrics["users.rate"] then check_laws(name, metrics) end
end
print("1.." .. count)
os.exit(failed == 0 and count > 10, true)
