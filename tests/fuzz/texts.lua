-- texts.lua — scenarios as people break them, checked and run for a moment.
--
--     lua5.4 tests/fuzz/texts.lua LORENZ FOLDER COUNT FIRST FILE...
--
-- Text number N is one of FILEs with a few of its words, numbers and lines changed, drawn from N:
-- what is left is often a scenario still, and means something else. `fuzz_mutate` loads worse texts
-- in one process; here the commands have them, and those that load are run.
--
-- What must hold: both commands end by a documented status that is no internal error, nothing
-- crashes or hangs, and who is refused is told why. What went wrong stays in FOLDER.
package.path = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/?.lua;" .. package.path
local files = require "files"

local lorenz, folder = arg[1], arg[2]
local count, first = tonumber(arg[3]), tonumber(arg[4])
local AT_ONCE <const> = 50 -- texts of one command

-- ---------------------------------------------------------------- what is done to a text

local function any(list) return list[math.random(#list)] end

-- Words, numbers with their units, texts, and what is between, in order.
local function tokens_of(text)
    local tokens, at = {}, 1
    while at <= #text do
        local token = text:match('^"[^"\n]*"', at) or text:match("^[%a_][%w_]*", at)
            or text:match("^%d[%w.]*", at) or text:match("^%s+", at) or text:sub(at, at)
        tokens[#tokens + 1], at = token, at + #token
    end
    return tokens
end

local function visible(tokens)
    for _ = 1, 100 do
        local i = math.random(#tokens)
        if tokens[i]:find "%S" then return i end
    end
    return 1
end

-- Of the same kind as another, if there is one: what people mix up.
local function like(tokens, i)
    local kind = tokens[i]:match '^"' or tokens[i]:match "^%a" and "%a"
        or tokens[i]:match "^%d" and "%d"
    for _ = 1, kind and 50 or 0 do
        local k = math.random(#tokens)
        if tokens[k]:find("^" .. kind) and tokens[k] ~= tokens[i] then return k end
    end
    return i
end

local values <const> = { "0", "-1", "1", "nil", "true", '""', '"0s"', '"1ns"', '"-1s"', '"1h"',
    '"0%"', '"101%"', '"1e9/s"', "{}", "1e308", "0/0", "9007199254740993", '"db"',
    "function() end", "..." }

local changes = {
    function(t) t[visible(t)] = "" end,
    function(t) t[visible(t)] = any(values) end,
    function(t)
        local i = visible(t)
        t[i] = t[i] .. " " .. t[i]
    end,
    function(t)
        local i = visible(t)
        t[i] = t[like(t, i)]
    end,
    function(t)
        local i = visible(t)
        local k = like(t, i)
        t[i], t[k] = t[k], t[i]
    end,
    function(t) -- a number, a little or much
        local i = visible(t)
        t[i] = t[i]:gsub("%d+", function(n)
            return tostring(math.tointeger(n) * any { 0, 2, 10, 1000 } + any { 0, 0, 1 })
        end)
    end,
    function(t) -- a character of a word
        local i = visible(t)
        local at = math.random(#t[i])
        t[i] = t[i]:sub(1, at - 1) .. any { "", "x", t[i]:sub(at, at):rep(2) } .. t[i]:sub(at + 1)
    end,
}

local line_changes = {
    function(lines) table.remove(lines, math.random(#lines)) end,
    function(lines) table.insert(lines, math.random(#lines), any(lines)) end,
    function(lines)
        local i, k = math.random(#lines), math.random(#lines)
        lines[i], lines[k] = lines[k], lines[i]
    end,
}

local function changed(text)
    for _ = 1, math.random(4) do
        if math.random() < 0.3 then
            local lines = {}
            for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
            if #lines > 1 then any(line_changes)(lines) end
            text = table.concat(lines, "\n") .. "\n"
        else
            local tokens = tokens_of(text)
            if #tokens > 0 then any(changes)(tokens) end
            text = table.concat(tokens)
        end
    end
    return text
end

-- ---------------------------------------------------------------- and what comes of it

local is_good <const> = {
    check = { [0] = true, [2] = true },
    run = { [0] = true, [1] = true, [2] = true, [3] = true, [7] = true },
}
local wrong = 0

local function judge(what, number, text, status)
    local why = not is_good[what][status] and ("exit %s"):format(status)
        or text:find "internal error" and "an internal error"
        or text:find "wall%-clock limit" and "hangs"
        or status == 2 and not text:find "error" and "refused without a word"
    if why then
        wrong = wrong + 1
        io.stderr:write(("%s/%d.lua: %s: %s\n%s\n"):format(folder, number, what, why,
            text:sub(-2000)))
    end
    return not why
end

local commands = {
    check = "'%s' check --timeout 30s %s",
    run = "'%s' run --keep none --timeout 30s --max-events 100000 %s",
}

-- All at once; where that went wrong, one by one.
local function try(from, to)
    local paths = {}
    for n = from, to do paths[#paths + 1] = ("'%s/%d.lua'"):format(folder, n) end
    for _, what in ipairs { "check", "run" } do
        local text, status = files.run(commands[what]:format(lorenz, table.concat(paths, " ")))
        local is_fine = is_good[what][status] and not text:find "internal error"
            and not text:find "wall%-clock limit"
        for n = from, is_fine and from - 1 or to do
            judge(what, n, files.run(commands[what]:format(lorenz, paths[n - from + 1])))
        end
    end
end

files.clear(folder)
local sources = table.move(arg, 5, #arg, 1, {})
assert(#sources > 0, "texts.lua needs files to change")
for from = first, first + count - 1, AT_ONCE do
    local to = math.min(from + AT_ONCE, first + count) - 1
    for n = from, to do
        math.randomseed(n, 20)
        files.write(("%s/%d.lua"):format(folder, n), changed(files.read(any(sources))))
    end
    try(from, to)
end

print "1..1"
print(("%s 1 - %d changed scenarios from number %d end as they should"):format(
    wrong == 0 and "ok" or "not ok", count, first))
if wrong == 0 then os.execute(("rm -rf '%s'"):format(folder)) end
os.exit(wrong == 0)
