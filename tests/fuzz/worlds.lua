-- worlds.lua — worlds of a kind under faults of the whole catalogue, operators and expectations.
--
--     lua5.4 tests/fuzz/worlds.lua LORENZ FOLDER KIND COUNT [FIRST [verify|shake]]
--
-- KIND is a file of worlds/: it declares what there is, by chance; worlds/draw.lua breaks it.
-- World number N is a function of N. All are written to FOLDER, checked, and run in one command.
-- What a world must hold is what any must:
--
--   - it is loaded; only faults that do not fit where they were drawn are refused, and taken out;
--   - it ends by a verdict: no crash, no assertion, no error within, no budget; twice the same;
--   - its metrics are numbers that can be, and those that belong together add up;
--   - when its faults are over and its users gone it comes to rest: the expectations that begin
--     with "settled".
--
-- Worlds that went wrong stay in FOLDER, and what is wrong is shown.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. here .. "/worlds/?.lua;" .. package.path
local draw = require "draw"
local files = require "files"

local lorenz, folder, kind = arg[1], arg[2], arg[3]
local count, first, twice = tonumber(arg[4]), tonumber(arg[5] or 1), arg[6]
local declare = require(kind)

local function path_of(number) return ("%s/%d.lua"):format(folder, number) end

local wrong = {}
local function say(number, text, ...)
    wrong[#wrong + 1] = ("%s: %s"):format(number, select("#", ...) > 0 and text:format(...) or text)
end

-- Takes the drawn lines out that are refused; what else is, is wrong. Returns the files concerned.
local drawn, refused = 0, 0
local function take_out(report)
    local lines_of, bad = {}, {}
    local finding = '"severity":"error","message":"(.-)","help":.-"file":"([^"]*)","line":(%d+)'
    for message, file, row in report:gmatch(finding) do
        lines_of[file] = lines_of[file] or {}
        lines_of[file][tonumber(row)] = message
    end
    for file, rows in pairs(lines_of) do
        local number, kept, at = file:match "(%d+)%.lua$", {}, 0
        local path = path_of(number)
        bad[#bad + 1] = ("'%s'"):format(path)
        for line in files.read(path):gmatch "([^\n]*)\n" do
            at = at + 1
            local is_drawn = line:find "-- drawn$" ~= nil
            if rows[at] and not is_drawn then say(number, "line %d: %s", at, rows[at]) end
            if rows[at] then refused = refused + 1 end
            kept[at] = rows[at] and is_drawn and "" or line
        end
        files.write(path, table.concat(kept, "\n") .. "\n")
    end
    return bad
end

-- ---------------------------------------------------------------- what any run must hold

local function is_number(v) return v == v and v ~= math.huge and v ~= -math.huge end

local function near(a, b) return math.abs(a - b) <= 1e-6 * math.max(1, math.abs(a), math.abs(b)) end

-- Metrics of one run by name.
local function check_metrics(number, metrics)
    for name, v in pairs(metrics) do
        local is_share = name:find "%.ratio$" or name:find "%.success%." or name:find "hit_ratio$"
        if not is_number(v) then say(number, "%s is %s", name, v) end
        if v < 0 and not name:find "^job:" then say(number, "%s is %s, below 0", name, v) end
        if is_share and not name:find "%.rejected%." and v > 1 then
            say(number, "%s is %s, above 1", name, v)
        end
        local of = name:match "^(.*)%.goodput$"
        if of and not near(metrics[of .. ".rate"], v + metrics[of .. ".errors.rate"]) then
            say(number, "%s: %s sent, %s answered and %s failed a second", of,
                metrics[of .. ".rate"], v, metrics[of .. ".errors.rate"])
        end
        of = name:match "^(.*)%.success%.ratio$"
        local errors = of and metrics[of .. ".errors.ratio"]
        if errors and not near(v + errors, 1) then
            say(number, "%s: %s are good and %s wrong", of, v, errors)
        end
        local base, q = name:match "^(.*)%.(p%d+)$"
        if base and metrics[base .. ".max"] and v > metrics[base .. ".max"] * 1.001 + 1e-9 then
            say(number, "%s.%s is %s, above the longest, %s", base, q, v, metrics[base .. ".max"])
        end
    end
end

local function check_run(number, text)
    for name, verdict, rest in text:gmatch '{"name":"(settled[^"]*)","verdict":"(%a+)"([^}]*)' do
        local actual = rest:match '"actual":"([^"]*)"' or ""
        -- Whom nobody has asked anything had nothing to settle.
        local is_idle = verdict == "inconclusive" and actual == "not judged"
        if verdict ~= "pass" and not is_idle then
            say(number, "%s: %s, %s", name, verdict, actual)
        end
    end
    for actual in text:gmatch '"actual":"(a bug of Lorenz[^"]*)"' do
        say(number, "%s: a checker and the servers contradict each other", actual)
    end
    local metrics = {}
    for name, v in (text:match '"metrics":(%b{})' or ""):gmatch '"([^"]+)":([^,}]+)' do
        if v ~= "null" then metrics[name] = tonumber(v) or v == "nan" and 0 / 0 or math.huge end
    end
    if next(metrics) == nil then say(number, "has no metrics") end
    check_metrics(number, metrics)
end

-- ---------------------------------------------------------------- one command for all

files.clear(folder)
for number = first, first + count - 1 do
    local w = draw.world(kind, number)
    declare(w)
    w:break_it()
    local text = w:text()
    drawn = drawn + select(2, text:gsub("-- drawn\n", ""))
    files.write(path_of(number), text)
end

-- What a fault needs of its world is looked at one after another.
local bad, rounds = { ("'%s'"):format(folder) }, 0
while #bad > 0 and rounds < 20 do
    rounds = rounds + 1
    table.sort(bad)
    bad = take_out((files.run(("'%s' check -o json=- %s"):format(lorenz, table.concat(bad, " ")))))
end

local json = folder .. "/result.json"
local printed, status = files.run(("'%s' run --keep none --timeout 2m %s -o json='%s' '%s'"):format(
    lorenz, twice and "--" .. twice or "", json, folder))
-- What fails or was not touched is as good as what holds: nothing else is claimed of them.
local is_good = (status == 0 or status == 1 or status == 3) and not printed:find "\nERROR"
if not is_good then say("all", "exit %s\n%s", status, printed) end

local runs = 0
local result <close> = io.open(json) -- a run that was ended writes none
for line in result and result:lines() or function() end do
    local number = line:match '^{"file":"[^"]-(%d+)%.lua"'
    if number then
        runs = runs + 1
        check_run(number, line)
    end
end
if runs ~= count then say("all", "%d of %d worlds have run", runs, count) end
if refused * 4 > drawn * 3 then say("all", "of %d faults %d were refused", drawn, refused) end

print "1..1"
print(("%s 1 - %d worlds of %s from number %d, with %d of %d faults, end as they should"):format(
    #wrong == 0 and "ok" or "not ok", count, kind, first, drawn - refused, drawn))
for _, text in ipairs(wrong) do io.stderr:write(text, "\n") end
if #wrong == 0 then os.execute(("rm -rf '%s'"):format(folder)) end
os.exit(#wrong == 0)
