-- plan.lua LORENZ FOLDER [--write] — plans as text, Mermaid and DOT, byte for byte; TAP.
local lorenz, folder, write = arg[1], arg[2], arg[3] == "--write"

local function output(command)
    local pipe <close> = assert(io.popen(command))
    return pipe:read "a"
end

local function read(path)
    local file <close> = io.open(path, "rb")
    return file and file:read "a"
end

local n, failed = 0, 0
local function ok(holds, name, detail)
    n = n + 1
    if not holds then failed = failed + 1 end
    print(("%s %d - %s"):format(holds and "ok" or "not ok", n, name))
    if not holds then print("# " .. tostring(detail):gsub("\n", "\n# ")) end
end

-- What would end a label, or be more than text in it, by format.
local function escapes(format, text)
    for line in text:gmatch "[^\n]+" do
        local _, quotes = line:gsub('\\"', ""):gsub('"', "")
        if quotes % 2 ~= 0 then return line end
        local label = format == "mermaid" and line:match '"(.*)"'
        if label and label:gsub("<br/>", ""):gsub('"|', ""):find '[<>"`|{}%[%]]' then
            return line
        end
    end
end

ok(escapes("dot", 'c1 [label="a"b"];') and escapes("mermaid", 'c1["a<b"]'),
    "a label that is not escaped is noticed")

for name in output("ls " .. folder):gmatch "%f[^\n\0](%a[%w_]*)%.lua\n" do
    for _, format in ipairs { "text", "mermaid", "dot" } do
        local command = ("cd %s && env -i LANG=C.UTF-8 %s plan --width 80 -o %s=- %s.lua 2>&1")
            :format(folder, lorenz, format, name)
        local path = ("%s/%s.%s"):format(folder, name, format)
        local first, second = output(command), output(command)
        if write then
            local file <close> = assert(io.open(path, "wb"))
            file:write(first)
        end
        local want = read(path)
        ok(first == want and second == want, ("the plan of %s as %s is as before"):format(name,
            format), first)
        ok(not first:find "[\1-\9\11-\31\127]", ("%s as %s has no control character"):format(name,
            format), first)
        if format ~= "text" then
            ok(not escapes(format, first), ("the labels of %s as %s are escaped"):format(name,
                format), escapes(format, first))
        else
            local wide
            for line in first:gmatch "[^\n]+" do
                if (utf8.len(line) or #line) > 80 then wide = line end
            end
            ok(not wide, ("the plan of %s fits 80 columns"):format(name), wide)
        end
    end
end
-- What a plan expects is what a run without faults and retries has.
local function numbers(path)
    local planned = output(("%s plan %s 2>&1"):format(lorenz, path)):match "about ([%d ]+) events"
    local run = output(("%s run --keep none -o json=- %s"):format(lorenz, path))
    return tonumber((planned or "0"):gsub(" ", ""), 10), tonumber(run:match '"events":(%d+)')
end

local path = output "mktemp":gsub("\n", "")
do
    local file <close> = assert(io.open(path, "w"))
    file:write [[
scenario "Calm" { duration = "1m" }
local db = database "db" { nodes = 3 }
local api = service "api" { calls = { call { db, "select x" }, call { db, "write y" } } }
local lb = balancer "lb" { to = api }
traffic "users" { to = lb, rate = "200/s" }
traffic "crons" { to = db, rate = "20/s", op = "select z" }
]]
end
local planned, counted = numbers(path)
os.remove(path)
ok(math.abs(planned / counted - 1) < 0.05, "the events of a plan are those of a calm run",
    planned .. " " .. counted)
print("1.." .. n)
os.exit(failed == 0 and n > 1, true)
