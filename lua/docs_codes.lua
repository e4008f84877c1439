--- A page for each diagnostic: what it means, a scenario that has it, and one that does not.
---
--- An example that does not begin with `scenario` goes on from `M.base`. The test tests/docs runs
--- all of them: the wrong one must give exactly its code, the right one must load.
---
--- Fields: title, text, wrong, right; `set` is a --set that the wrong one needs, and `run` says
--- that the code comes from `lorenz run` and not from `lorenz check`; `is_warning` that it is one,
--- and `files` are modules beside the example.
local M = {}

M.base = [[
scenario "An example" { duration = "10m", warmup = "1m" }
local db = database "db" { nodes = 3 }
local web = service "web" { replicas = 4, calls = { call { db, "select" } } }
local users = traffic "users" { to = web, rate = "100/s" }
local outage = fault.kill { db.primary, at = "4m" }
]]

M.kinds = {
    ["0"] = "Syntax: the text is not a Lua file",
    ["1"] = "Structure: blocks, fields and names",
    ["2"] = "Values and units",
    ["3"] = "Parts, metrics and kinds of components",
    ["4"] = "Expectations",
    ["5"] = "Scripts and determinism",
    ["6"] = "Replay",
}

-- ---------------------------------------------------------------- 0xx syntax

M.LZ001 = { title = "a quantity is written without quotes",
    text = "A number with its unit is a text in Lua, so it stands in quotes.",
    wrong = [[fault.pause { web, at = 2m }]],
    right = [[fault.pause { web, at = "2m" }]] }
M.LZ002 = { title = "a field is set with `:`",
    text = "YAML and JSON write `key: value`; Lua writes `key = value`.",
    wrong = [[slo "good answers" { of = web, objective: "99%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ003 = { title = "a comma is missing between two fields",
    text = "Fields are separated by commas, at the end of a line too. One after the last field "
        .. "is allowed, and makes later changes easier.",
    wrong = [[
slo "good answers" {
  of = web
  objective = "99%"
}]],
    right = [[
slo "good answers" {
  of = web,
  objective = "99%",
}]] }
M.LZ004 = { title = "a word of Lua is used as a field",
    text = "`for`, `until`, `end` and so on belong to Lua. The length of a fault is `lasting`; a "
        .. "deadline is `within`; Prometheus' `for` of an alert is `pending`.",
    wrong = [[fault.pause { web, at = "2m", for = "10s" }]],
    right = [[fault.pause { web, at = "2m", lasting = "10s" }]] }
M.LZ005 = { title = "`!=` is not Lua",
    text = "Not equal is written `~=`.",
    wrong = [[
local retries = param("retries", { 0, 3 })
if retries != 0 then fault.pause { web, at = "2m" } end]],
    right = [[
local retries = param("retries", { 0, 3 })
if retries ~= 0 then fault.pause { web, at = "2m" } end]] }
M.LZ006 = { title = "the text is not Lua",
    text = "Lua could not read the line, and none of the usual slips explains it. The message is "
        .. "Lua's own; the mistake is at the place it names or just before.",
    wrong = [[local pause = = "10s"]],
    right = [[local pause = "10s"
fault.pause { web, at = "2m", lasting = pause }]] }
M.LZ007 = { title = "a brace is never closed",
    text = "Every `{` needs its `}`. The mark is at the brace which the indentation says was "
        .. "left open.",
    wrong = [[
slo "good answers" {
  of = web,
  objective = "99%",
]],
    right = [[
slo "good answers" {
  of = web,
  objective = "99%",
}]] }

-- ---------------------------------------------------------------- 1xx structure

M.LZ101 = { title = "a block has no such field",
    text = "Each block has its own fields and refuses all others, so that a misspelt one cannot "
        .. "be ignored. `lorenz explain service` lists those of a service.",
    wrong = [[slo "good answers" { of = web, objectiv = "99%", objective = "99%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ102 = { title = "something that is needed is missing",
    text = "A required field, a target or a parameter is not there. The message says which, and "
        .. "what it is for.",
    wrong = [[slo "good answers" { of = web }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ103 = { title = "a block has no name",
    text = "Blocks are named, because messages, reports and chance refer to them by name.",
    wrong = [[slo { of = web, objective = "99%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ104 = { title = "a name is used twice",
    text = "Components share one set of names, expectations another. The message shows both "
        .. "places. A file has one scenario.",
    wrong = [[
expect "answers are fast" { always = web.latency.p99:below "300ms" }
expect "answers are fast" { always = web.latency.p50:below "50ms" }]],
    right = [[
expect "answers are fast" { always = web.latency.p99:below "300ms" }
expect "the median is faster" { always = web.latency.p50:below "50ms" }]] }
M.LZ105 = { title = "there is no such fault or distribution",
    text = "Faults are fault.NAME, distributions dist.NAME; `lorenz explain` lists them. Words of "
        .. "other tools are recognised and translated.",
    wrong = [[fault.slow { web, add = "3ms", at = "2m" }]],
    right = [[fault.latency { web, add = "3ms", at = "2m" }]] }
M.LZ106 = { title = "a fault has no time",
    text = "The top level only declares, so a fault there needs `at`. Inside `drive`, and at the "
        .. "prompt of the REPL, a fault without `at` acts at once.",
    wrong = [[fault.pause { web, lasting = "10s" }]],
    right = [[fault.pause { web, at = "2m", lasting = "10s" }]] }
M.LZ107 = { title = "a fault comes after the end of the run",
    text = "It would never happen, so the run would test nothing. Move it forward or make "
        .. "`duration` longer.",
    wrong = [[fault.pause { web, at = "20m", lasting = "10s" }]],
    right = [[fault.pause { web, at = "2m", lasting = "10s" }]] }
M.LZ108 = { title = "nothing has that name",
    text = "Neither a `local` of the file nor a word of the language is called so: a typing "
        .. "mistake, or a variable that is used above the line that makes it.",
    wrong = [[slo "good answers" { of = wbe, objective = "99%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ109 = { title = "a global variable is made",
    text = "Variables are local to their file; a global could be changed from anywhere and is "
        .. "nearly always a forgotten `local`.",
    wrong = [[pause = "10s"]],
    right = [[local pause = "10s"
fault.pause { web, at = "2m", lasting = pause }]] }
M.LZ110 = { title = "a block has no body",
    text = "After the name come braces, even when there is nothing to say in them.",
    wrong = [[host "rack-1"]],
    right = [[host "rack-1" {}]] }
M.LZ111 = { title = "two fields exclude each other",
    text = "Each says by itself what the other says too; the message names both, and mostly why. "
        .. "`calls`, for example, is a fixed list; a handler decides itself and calls with "
        .. "req:call. With both, it would be unclear who calls when.",
    wrong = [[
scenario "An example" { duration = "1m" }
local db = database "db" {}
local web = service "web" {
  calls  = { call { db, "select" } },
  handle = { ["GET /"] = function(req) return 200 end },
}
traffic "users" { to = web, rate = "10/s", op = "GET /" }]],
    right = [[
scenario "An example" { duration = "1m" }
local db = database "db" {}
local web = service "web" {
  handle = { ["GET /"] = function(req)
    local rows = req:call { db, "select" }
    return rows.ok and 200 or 503
  end },
}
traffic "users" { to = web, rate = "10/s", op = "GET /" }]] }
M.LZ112 = { title = "a param has no proper list of values",
    text = "param takes a name and a list; its values are numbers, texts or booleans, all of one "
        .. "kind. The run is repeated for each of them.",
    wrong = [[local retries = param("retries", { 0, "three" })]],
    right = [[local retries = param("retries", { 0, 3 })
if retries > 0 then fault.pause { web, at = "2m" } end]] }
M.LZ113 = { title = "--set does not fit the params",
    text = "`--set NAME=VALUE` pins a param that the scenario has, to a value of the same kind as "
        .. "those in its list.",
    set = "retries=many",
    wrong = [[local retries = param("retries", { 0, 3 })
if retries == 3 then fault.pause { web, at = "2m" } end]],
    right = [[local retries = param("retries", { 0, 3 }) -- lorenz run --set retries=3
if retries == 3 then fault.pause { web, at = "2m" } end]] }
M.LZ114 = { title = "this version does not have that yet",
    text = "The word belongs to the language, and this version of Lorenz cannot run it.",
    run = true,
    wrong = [[data "users" {}]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ115 = { title = "drive is not given a name and a function",
    text = "drive(\"name\", function() ... end) runs the function beside the system, on virtual "
        .. "time. The name appears in the report.",
    wrong = [[drive(function() sleep "1m" end)]],
    right = [[drive("operator", function() sleep "1m" end)]] }
M.LZ116 = { title = "the file declares no scenario",
    text = "A file that is run holds one scenario block. Files that others `use` have names that "
        .. "begin with \"_\", or stand in a folder whose name does.",
    wrong = [[-- no scenario here
local db = { nodes = 3 }]],
    right = [[scenario "What must hold" { duration = "10m" }]] }

M.LZ117 = { title = "there is no such module",
    text = "`use \"name\"` brings in a module of the standard library; a name that begins with "
        .. "\"./\" or \"../\" is a Lua file, relative to the file that says `use`. A module ends "
        .. "with `return`.",
    wrong = [[local k8s = use "kubernets"]],
    right = [[local k8s = use "kubernetes"]] }
M.LZ118 = { title = "modules use each other in a circle",
    text = "A module is run before the one that uses it goes on, so none may need itself. The "
        .. "message shows the chain. What both need goes into a third module.",
    files = { ["_a.lua"] = 'local b = use "./_b.lua"\nreturn b',
        ["_b.lua"] = 'local a = use "./_a.lua"\nreturn a' },
    wrong = [[local a = use "./_a.lua" -- which uses "./_b.lua", which uses "./_a.lua"]],
    right = [[local k8s = use "kubernetes"]] }
M.LZ119 = { title = "a module lies outside the project",
    text = "A scenario may come from a stranger, so it reads nothing but files inside the "
        .. "project: the nearest folder above the scenario with a lorenz.conf.lua or a .git, or "
        .. "else the scenario's own folder. Links are judged by where they lead.",
    wrong = [[local shop = use "../../../../../../../../../../bin/sh"]],
    right = [[local k8s = use "kubernetes"]] }

M.LZ120 = { title = "nothing reaches a component", is_warning = true,
    text = "Requests begin at traffic and go where `to`, `calls`, `answers` and handlers lead. "
        .. "What none of them leads to takes no part in the run.",
    wrong = [[local search = service "search" { replicas = 2 }]],
    right = [[
local search = service "search" { replicas = 2 }
traffic "seekers" { to = search, rate = "20/s" }]] }

M.LZ121 = { title = "no handler for an operation", is_warning = true,
    text = "A service with `handle` answers what it has no handler for with 404. Names of "
        .. "operations are compared as they are written.",
    wrong = [[
local shop = service "shop" { handle = { ["POST /order"] = function() return 200 end } }
traffic "buyers" { to = shop, op = "POST /orders", rate = "5/s" }]],
    right = [[
local shop = service "shop" { handle = { ["POST /order"] = function() return 200 end } }
traffic "buyers" { to = shop, op = "POST /order", rate = "5/s" }]] }

-- ---------------------------------------------------------------- 2xx values and units

M.LZ201 = { title = "a quantity has no unit",
    text = "Times, rates and sizes carry their unit, because 500 could be ms or s and both look "
        .. "right. Counts are plain numbers; shares are \"1%\" or 0.01.",
    wrong = [[fault.pause { web, at = "2m", lasting = 500 }]],
    right = [[fault.pause { web, at = "2m", lasting = "500ms" }]] }
M.LZ202 = { title = "the unit is unknown",
    text = "Durations have ns us ms s m h d, sizes B KiB MiB GiB TiB kB MB GB TB, "
        .. "rates /s /m /h with k and M before.",
    wrong = [[fault.pause { web, at = "2m", lasting = "10sec" }]],
    right = [[fault.pause { web, at = "2m", lasting = "10s" }]] }
M.LZ203 = { title = "a text is not a quantity",
    text = "The text could not be read as the duration, rate, size or share that is wanted here.",
    wrong = [[fault.pause { web, at = "soon" }]],
    right = [[fault.pause { web, at = "2m" }]] }
M.LZ204 = { title = "a limit does not fit its metric",
    text = "Latencies are compared with durations, ratios with shares, rates with rates, counts "
        .. "with plain numbers.",
    wrong = [[expect "few errors" { always = web.errors.ratio:below "300ms" }]],
    right = [[expect "few errors" { always = web.errors.ratio:below "1%" }]] }
M.LZ205 = { title = "a value is of the wrong type",
    text = "The field wants another kind of value; the message says which, and what it got.",
    wrong = [[expect "few errors" { always = web.errors.ratio:below "1%", because = 7 }]],
    right = [[expect "few errors" { always = web.errors.ratio:below "1%",
                      because = "the contract says so" }]] }
M.LZ206 = { title = "a value is out of range",
    text = "The value is of the right type and not allowed here; the message names the limit.",
    wrong = [[slo "good answers" { of = web, objective = "990%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }
M.LZ207 = { title = "a value is none of the possible ones",
    text = "The field takes one of a few words, and the message lists them.",
    wrong = [[expect "few errors" { always = web.errors.ratio:below "1%", severity = "warning" }]],
    right = [[expect "few errors" { always = web.errors.ratio:below "1%", severity = "warn" }]] }
M.LZ208 = { title = "the world cannot be made like this",
    text = "Each block is right by itself, and together they are not: a fault that cannot hit its "
        .. "target, a parameter that needs another, a limit of the model.",
    wrong = [[fault.pause { web, at = "2m", every = "1m" }]],
    right = [[fault.pause { web, at = "2m", every = "1m", lasting = "10s" }]] }

M.LZ209 = { title = "a file of numbers cannot be read",
    text = "shape.replay reads a text file: each line is a minute, and its last column (after a "
        .. "comma, a semicolon or a tab) the number of requests in it. A first line of words is "
        .. "the heading. The message names the file and the line.",
    files = { ["bad.csv"] = "minute,requests\n0,600\n1,many\n",
        ["good.csv"] = "minute,requests\n0,600\n1,660\n" },
    wrong = [[traffic "recorded" { to = web, rate = shape.replay "bad.csv" }]],
    right = [[traffic "recorded" { to = web, rate = shape.replay "good.csv" }]] }

M.LZ210 = { title = "SQL that is not taken",
    text = "A database with a `schema` is a real SQLite: its tables, its seed, and every statement "
        .. "that is declared against them are compiled when the file is read, and the message is "
        .. "SQLite's, at the place in the text. Refused are ATTACH, PRAGMA, BEGIN and whatever "
        .. "else would reach a file or change how the database works.",
    wrong = [[
local orders = database "orders" { schema = "create table orders(id integer primary kee)" }
service "shop" { calls = { call { orders, "insert into orders values (:key)" } } }]],
    right = [[
local orders = database "orders" { schema = "create table orders(id integer primary key)" }
service "shop" { calls = { call { orders, "insert into orders values (:key)" } } }]] }

-- ---------------------------------------------------------------- 3xx names and kinds

M.LZ301 = { title = "a component has no such part",
    text = "A component has parts (web.replica[1], db.primary) and metrics (web.latency.p99). "
        .. "`lorenz explain database` lists those of a database.",
    wrong = [[fault.kill { db.master, at = "2m" }]],
    right = [[fault.kill { db.primary, at = "2m" }]] }
M.LZ302 = { title = "a component has no such metric",
    text = "Metrics are known when the file is read, so a misspelt one is an error and not an "
        .. "expectation that never fires.",
    wrong = [[expect "answers are fast" { always = web.latency.p9:below "300ms" }]],
    right = [[expect "answers are fast" { always = web.latency.p99:below "300ms" }]] }
M.LZ303 = { title = "there are not that many parts",
    text = "Replicas and nodes are counted from 1 to as many as the component has.",
    wrong = [[fault.pause { web.replica[5], at = "2m", lasting = "10s" }]],
    right = [[fault.pause { web.replica[4], at = "2m", lasting = "10s" }]] }
M.LZ304 = { title = "a component of the wrong kind",
    text = "What is called must answer calls, what is broken must be breakable, and so on; the "
        .. "message says what fits.",
    wrong = [[slo "good answers" { of = outage, objective = "99%" }]],
    right = [[slo "good answers" { of = web, objective = "99%" }]] }

-- ---------------------------------------------------------------- 4xx expectations

M.LZ305 = { title = "more are picked than there are", is_warning = true,
    text = "All that are there are hit, which is another test than one that leaves some.",
    wrong = [[fault.pause { web, pick = 5, at = "2m", lasting = "10s" }]],
    right = [[fault.pause { web, pick = 3, at = "2m", lasting = "10s" }]] }

M.LZ401 = { title = "a metric is compared with < or >",
    text = "Lua decides a comparison at once, when the file is read and nothing has been "
        .. "measured. A matcher is kept and judged during the run. `and` and `or` do not join two "
        .. "of them: each has an expectation of its own.",
    wrong = [[expect "answers are fast" { always = web.latency.p99 < "300ms" }]],
    right = [[expect "answers are fast" { always = web.latency.p99:below "300ms" }]] }
M.LZ402 = { title = "a matcher has no limit",
    text = "A metric alone says nothing about what is good. Matchers are below above at_least "
        .. "at_most equals between recovers_to.",
    wrong = [[expect "answers are fast" { always = web.latency.p99 }]],
    right = [[expect "answers are fast" { always = web.latency.p99:below "300ms" }]] }
M.LZ403 = { title = "an expectation says nothing, or two things",
    text = "Each has exactly one of always, never, eventually, at_end, sometimes, or a word about "
        .. "a history, such as linearizable, which is judged once and knows no times.",
    wrong = [[
expect "few errors" {
  always = web.errors.ratio:below "5%",
  at_end = web.errors.ratio:below "1%",
}]],
    right = [[
expect "few errors" { always = web.errors.ratio:below "5%" }
expect "hardly any at the end" { at_end = web.errors.ratio:below "1%" }]] }
M.LZ404 = { title = "`eventually` has no deadline",
    text = "Without `within`, anything that comes right at any time would do.",
    wrong = [[
expect "errors go away" {
  eventually = web.errors.ratio:below "1%", after = outage,
}]],
    right = [[
expect "errors go away" {
  eventually = web.errors.ratio:below "1%", after = outage, within = "30s",
}]] }

M.LZ405 = { title = "a window leaves nothing to judge", is_warning = true,
    text = "Judging goes from the warm-up to the end. An `except` that covers all of it, or a "
        .. "`during` that has none of it, makes the expectation inconclusive whatever happens.",
    wrong = [[
expect "few errors" {
  always = web.errors.ratio:below "1%", except = { after = "1m" },
}]],
    right = [[
expect "few errors" {
  always = web.errors.ratio:below "1%", except = { after = outage, lasting = "15s" },
}]] }
M.LZ406 = { title = "a deadline lies behind the end of the run", is_warning = true,
    text = "`within` counts from `after`, and what becomes true must stay so for `holding`. If the "
        .. "run ends before that, the last part is never looked at.",
    wrong = [[
expect "errors go away" {
  eventually = web.errors.ratio:below "1%", after = outage, within = "7m",
}]],
    right = [[
expect "errors go away" {
  eventually = web.errors.ratio:below "1%", after = outage, within = "15s", holding = "30s",
}]] }
M.LZ407 = { title = "nothing can influence an expectation", is_warning = true,
    text = "No request reaches the component and no fault hits it, or no drive makes the mark: the "
        .. "expectation tests nothing.",
    wrong = [[expect "someone rolls back" { eventually = happened "rollback", within = "5m" }]],
    right = [[
drive("operator", function() sleep "2m" mark "rollback" end)
expect "someone rolls back" { eventually = happened "rollback", within = "5m" }]] }

M.LZ408 = { title = "a rule asks for a label that nothing has", is_warning = true,
    text = "A matcher whose value no series has selects nothing, and a grouping by a label that no "
        .. "element has makes one group of all: the rule is evaluated, and an alert of it never "
        .. "fires, or for other reasons. Prometheus says nothing, for it cannot know what will be "
        .. "scraped. Components, instances, outcomes and buckets are known when a scenario is "
        .. "checked; what rules record may have any label. What must be empty (`x=\"\"`, "
        .. "`x!~\"a\"`) and what is in `absent()` is not asked for.",
    wrong = [[alert "api fails" { expr = 'lorenz_errors_ratio{component="weeb"} > 0.01' }]],
    right = [[alert "web fails" { expr = 'lorenz_errors_ratio{component="web"} > 0.01' }]] }

-- ---------------------------------------------------------------- 5xx scripts

M.LZ501 = { title = "something that a scenario may not use",
    text = "Clocks, files, other modules and whatever depends on the machine are not there, so "
        .. "that equal seeds give equal runs and a scenario of a stranger can be run.",
    wrong = [[local started = os.time()]],
    right = [[drive("clock", function() log("it is %s", tostring(now())) end)]] }
M.LZ502 = { title = "the script raised an error",
    text = "An ordinary Lua error, with its line. `nil` values usually come from a table that "
        .. "lacks the key.",
    wrong = [[
local pauses = { a = "10s" }
fault.pause { web, at = "2m", lasting = pauses.b.c }]],
    right = [[
local pauses = { a = "10s" }
fault.pause { web, at = "2m", lasting = pauses.a }]] }
M.LZ503 = { title = "something acts where one only declares, or the other way round",
    text = "The top level is read before anything runs. What acts (sleep, mark, log, now, rand) "
        .. "belongs into drive or a handler. What declares (service, expect, drive) belongs to the "
        .. "top level, and a check only looks at what has been.",
    wrong = [[mark "begin"]],
    right = [[drive("operator", function() sleep "1m" mark "begin" end)]] }
M.LZ504 = { title = "pairs has no order for a key",
    text = "pairs visits numbers, then texts, in order, so that runs are equal everywhere. Tables "
        .. "and functions as keys have no order but their addresses.",
    wrong = [[
local pauses = { [{}] = "10s" }
for _, pause in pairs(pauses) do fault.pause { web, at = "2m", lasting = pause } end]],
    right = [[
local pauses = { web = "10s" }
for _, pause in pairs(pauses) do fault.pause { web, at = "2m", lasting = pause } end]] }
M.LZ510 = { title = "the script never gives time back",
    text = "Virtual time stands still while Lua runs. A hundred million instructions without a "
        .. "sleep, a call or an end are taken for a loop that does not end.",
    wrong = [[while true do end]],
    right = [[drive("operator", function()
  while true do sleep "1m" end
end)]] }

-- ---------------------------------------------------------------- 7xx real things

local live = require "docs_live"
live.add_to(M, live.codes)

return M
