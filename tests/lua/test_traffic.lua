-- What users do depends on who they are and on nothing else: not on other users, other traffic, nor
-- on load that a fault adds.
--
-- Method: run the program, read its JSON, compare the whole-run values of one component. TAP.
local lorenz = arg[1]
local count, failed = 0, 0

local function check(name, ok, detail)
    count = count + 1
    if not ok then
        failed = failed + 1
        print("# " .. tostring(detail))
    end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", count, name))
end

local function run(text)
    local path = os.tmpname()
    os.rename(path, path .. ".lua")
    path = path .. ".lua"
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    local pipe = assert(io.popen(("%s run --keep none --report-only -o json=- %s"):format(lorenz,
        path)))
    local json = pipe:read "a"
    pipe:close()
    os.remove(path)
    local metrics = {}
    for name, value in (json:match('"metrics":(%b{})') or ""):gmatch '"([^"]+)":([^,}]+)' do
        metrics[name] = tonumber(value)
    end
    return metrics, json
end

local function of(metrics, component)
    local list = {}
    for name, value in pairs(metrics) do
        if name:find(component .. ".", 1, true) == 1 then
            list[#list + 1] = ("%s=%.17g"):format(name, value)
        end
    end
    table.sort(list)
    return table.concat(list, "\n")
end

-- A service with room for everybody: nobody waits for anybody, so only draws can be shared.
local WORLD = [[
scenario "Users" { duration = "60s" }
local web = service "web" { concurrency = 60000,
  service_time = dist.exponential { mean = "20ms" } }
traffic "them" { to = web, %s, timeout = "10s" }
%s
expect "answers come" { sometimes = web.rate:above "1/s" }
]]

local KINDS = {
    closed = 'arrivals = "closed", users = 20, think = dist.exponential { mean = "1s" }',
    sessions = 'rate = "3/s", session = { leave = "30%" }, '
        .. 'think = dist.exponential { mean = "1s" }',
    batches = 'rate = "20/s", batch = 4',
    renewal = 'gaps = dist.gamma { mean = "50ms", shape = 3 }',
    waves = 'rate = shape.sine { mean = "20/s", amplitude = "20/s", period = "13s" }',
}
local names = {}
for name in pairs(KINDS) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
    local alone, text = run(WORLD:format(KINDS[name], ""))
    local base = of(alone, "them")
    check(name .. " are measured", #base > 200, text)
    local more = run(WORLD:format(KINDS[name],
        'traffic "more" { to = web, rate = "50/s" }\n'
        .. 'fault.bots { web, at = "20s", rate = "90/s" }'))
    check(name .. " do what they would have done beside others and bots",
        of(more, "them") == base, of(more, "them") .. "\n" .. base)
    check(name .. " another seed's are others", of(run((WORLD:format(KINDS[name], "")
        :gsub('"Users"', '"Others"'))), "them") ~= base)
end

-- A user who gets no answer sends less: the closed loop and the open one differ under a fault.
local STOP = 'fault.pause { web, at = "20s", lasting = "20s" }'
local function sent(kind, extra)
    return run(WORLD:format(KINDS[kind], extra))["them.rate"]
end
check("a closed loop slows down with the system", sent("closed", STOP) < 0.75 * sent("closed", ""))
check("an open one does not", sent("waves", STOP) == sent("waves", ""))

-- Who is refused in no time and thinks none does not stop the clock.
local spin = run [[
scenario "Nobody there" { duration = "2s" }
local web = service "web" { concurrency = 1, queue = { max = 0 }, service_time = "1h" }
local them = traffic "them" { to = web, arrivals = "closed", users = 3, beside = true,
  timeout = "1h" }
expect "they go on asking" { at_end = them.errors.rate:above "500/s" }
]]
check("users refused at once ask a thousand times a second at most",
    spin["them.rate"] and spin["them.rate"] <= 2003, spin["them.rate"])

local many = run [[
scenario "A million people" { duration = "3s" }
local web = service "web" { replicas = 10, concurrency = 60000, service_time = "1ms" }
local them = traffic "them" { to = web, arrivals = "closed", users = 1000000,
  think = dist.exponential { mean = "100s" } }
expect "they come" { at_end = them.rate:above "1/s" }
]]
check("a million users are within the budgets", (many["them.rate"] or 0) > 1000, many["them.rate"])

print("1.." .. count)
os.exit(failed == 0, true)
