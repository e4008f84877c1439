-- test_tidy.lua — every rule of tidy.lua is shown a text that breaks it.
--
-- A rule that has never said no is not evidence. Each row is a path, a text and what
-- the first complaint must contain; a row without one must draw no complaint.

package.path = "tests/tidy/?.lua;" .. package.path
local tidy = require "tidy"

local GUARD = "/* x. */\n#ifndef LZ_SIM_X_H\n#define LZ_SIM_X_H\n"

local cases = {
    { "a clean file draws no complaint", "src/sim/x.c", '#include "base/err.h"\n\nint x;\n' },
    { "a line of 101 columns is too long", "src/sim/x.c", ("x"):rep(101) .. "\n", "101 columns" },
    { "columns are characters, not bytes", "src/sim/x.c", ("é"):rep(100) .. "\n" },
    { "a line may end in nothing but text", "src/sim/x.c", "int x; \n", "trailing space" },
    { "indentation is spaces", "src/sim/x.c", "\tint x;\n", "a tab" },
    { "work is finished", "lua/x.lua", "-- TO" .. "DO later\n", "unfinished" },
    { "a lower layer knows no higher one", "src/sim/x.c", '#include "model/net.h"\n',
        "sim/ may not include model/" },
    { "neighbours of equal rank do not know each other", "src/live/x.c",
        '#include "explore/crew.h"\n', "live/ may not include explore/" },
    { "a layer knows itself", "src/sim/x.c", '#include "sim/x.h"\n' },
    { "a header has its guard", "src/sim/x.h", GUARD },
    { "a guard is named after its path", "src/sim/y.h", GUARD, "LZ_SIM_Y_H" },
    { "a header says what it is for", "src/sim/x.h", GUARD:gsub("^[^\n]*\n", ""), "opens with" },
    { "seventy lines are a function", "src/sim/x.c",
        "int f(void)\n{\n" .. ("    g();\n"):rep(70) .. "}\n" },
    { "seventy-one lines are too many", "src/sim/x.c",
        "int f(void)\n{\n" .. ("    g();\n"):rep(71) .. "}\n", "a function of 71 lines" },
    { "six parameters are allowed", "src/sim/x.c",
        "int f(int a, int b, int c, int d,\n      int e, int g)\n{\n}\n" },
    { "seven parameters are too many", "src/sim/x.c",
        "int f(int a, int b, int c, int d,\n      int e, int g, int h)\n{\n}\n", "7 parameters" },
    { "a function pointer is one parameter", "src/sim/x.c",
        "int f(int a, int b, int c, int d, int e, void (*g)(int, int))\n{\n}\n" },
    { "a file ends with a newline", "src/sim/x.c", "int x;", "no newline" },
    { "a long file draws a warning", "src/sim/x.c", ("int x;\n"):rep(601), "601 lines" },
    { "a table of data may be long", "src/sim/x_tables.c", ("int x;\n"):rep(601) },
}

local n = 0
local function ok(holds, name, detail)
    n = n + 1
    print(("%s %d - %s"):format(holds and "ok" or "not ok", n, name))
    if not holds then print("# " .. tostring(detail)) end
    return holds
end

local all = true
for _, case in ipairs(cases) do
    local name, path, text, want = table.unpack(case)
    local first
    tidy.rules(path, text, function(_, what) first = first or what end)
    local holds = first == want or (first and want and first:find(want, 1, true) ~= nil)
    all = ok(holds, name, first) and all
end

local listed = "sources = files(\n    'a.c',\n    '../base/b-c.c',\n)\n"
all = ok(#tidy.unlisted(listed, { "a.c", "b-c.c" }) == 0, "what is listed is not missed") and all
all = ok(tidy.unlisted(listed, { "a.c", "d.c" })[1] == "d.c", "what is not listed is named") and all
local main = "static const struct lz_cmd *const commands[] = {\n &lz_cmd_%s,\n &lz_cmd_%s,\n};"
all = ok(tidy.unordered(main:format("check", "run")) == nil, "commands in order are fine") and all
all = ok(tidy.unordered(main:format("run", "check")) == "run", "commands out of order are named")
    and all
print("1.." .. n)
os.exit(all, true)
