-- docs.lua — documentation against what it documents.
--
--     lua5.4 tests/docs/docs.lua path/to/lorenz path/to/source
--
-- Pages come from tables that also validate, so what can go stale is what no table knows: the
-- list of codes, the words, and the examples. Codes are looked for in the sources, words are
-- what a scenario's environment holds, and every example is given to `lorenz check`.

local binary, root = arg[1], arg[2]
package.path = root .. "/lua/?.lua"
local codes = require "docs_codes"
local handles = require "handles"
local schema = require "schema"
local tools = require "tools"
local vocab = require "vocab"
local words = require "docs_words"

local n, failed = 0, 0

local function ok(holds, name, detail)
    n = n + 1
    if not holds then failed = failed + 1 end
    print(("%s %d - %s"):format(holds and "ok" or "not ok", n, name))
    if not holds and detail then print("# " .. tostring(detail):gsub("\n", "\n# ")) end
end

local function output(command)
    local pipe <close> = assert(io.popen(command))
    return pipe:read "a"
end

local function keys(t)
    local names = {}
    for name in pairs(t) do names[#names + 1] = name end
    table.sort(names)
    return names
end

local folder = output "mktemp -d":gsub("\n", "")

local function lorenz(arguments)
    return output(("cd '%s' && LANG=C '%s' %s 2>&1"):format(folder, binary, arguments))
end

local function explain(topic)
    return lorenz(("explain '%s'"):format(topic))
end

-- ---------------------------------------------------------------- examples

---An example as a file: after the usual beginning, or in the place of what it declares again.
local function whole(text)
    local is_file = text:match "^scenario.*\nlocal" or text:match "^%-%- no scenario"
        or text:match "^scenario[^\n]*$"
    if is_file then return text .. "\n" end
    local out, placed = {}, false
    for line in codes.base:gmatch "[^\n]+" do
        local declared = line:match "^scenario" or line:match '%w+ "[^"]+" {'
        if declared and text:find(declared, 1, true) then
            out[#out + 1] = not placed and text or nil
            placed = true
        else
            out[#out + 1] = line
        end
    end
    if not placed then out[#out + 1] = text end
    return table.concat(out, "\n") .. "\n"
end

---What the checker says of a text, and the codes of its errors, or warnings, each once.
local function judge(text, command, level)
    local file <close> = assert(io.open(folder .. "/example.lua", "w"))
    file:write(text)
    file:close()
    local said = lorenz(command .. " example.lua")
    local seen, list = {}, {}
    for code in said:gmatch((level or "error") .. "%[(LZ%d+)%]") do
        if not seen[code] then list[#list + 1] = code end
        seen[code] = true
    end
    return said, table.concat(list, " ")
end

---What an example reads, beside it.
local function write_files(files)
    for path, body in pairs(files or {}) do
        local file <close> = assert(io.open(folder .. "/" .. path, "w"))
        file:write(body, "\n")
    end
end

local function check_code(name)
    local page = codes[name]
    local command = page.run == true and "run --keep none" or page.run or "check"
    if page.set then command = command .. " --set " .. page.set end
    write_files(page.files)
    local said, got = judge(whole(page.wrong), command, page.is_warning and "warning")
    ok(got == name, ("the wrong example of %s gives %s alone"):format(name, name), said)
    said, got = judge(whole(page.right), "check", page.is_warning and "warning")
    ok(got == "" and ("\n" .. said):find "\nok ", ("the right example of %s loads"):format(name),
        said)
end

---The example on a page, as a statement.
local function example_of(topic, page)
    local text = page:match "\nExample\n\n(.-)\n\n%S" or page:match "\nExample\n\n(.*)$"
    if not text then return nil end
    text = text:gsub("\n    ", "\n"):gsub("^    ", ""):gsub("%s+$", "")
    if topic:match "^dist" then
        local value = text:gsub("^service_time = ", "")
        return ('service "spare" { service_time = %s }'):format(value)
    elseif words.functions[topic] and not text:match "^drive" and not text:match "^expect" then
        if topic == "param" or topic == "dur" or topic == "use" then return text end
        return ('drive("operator", function() %s end)'):format(text)
    end
    return text
end

-- ---------------------------------------------------------------- codes

local sources = output(("cat '%s'/lua/*.lua '%s'/src/*/*.[ch]"):format(root, root))
local emitted, documented = {}, {}
for text in (sources .. "\n"):gmatch "([^\n]*)\n" do
    if not text:match "^M%.LZ%d+ =" then
        for code in text:gmatch '"(LZ%d%d%d)[":]' do emitted[code] = true end
    end
end
for name in pairs(codes) do
    if name:match "^LZ" then documented[name] = true end
end
ok(#keys(emitted) > 40, "codes are found in the sources", #keys(emitted))
for _, code in ipairs(keys(emitted)) do
    ok(documented[code], code .. " has a page", "write it in lua/docs_codes.lua")
end
for _, code in ipairs(keys(documented)) do
    ok(emitted[code], code .. " is given by something", "take its page out of docs_codes.lua")
    check_code(code)
end

-- ---------------------------------------------------------------- words

---A field whose type has no entry, or that says nothing; nil if all is well.
local function bad_field(fields, where)
    for _, f in ipairs(fields) do
        local kind = f[2]:match "^refs?:" or f[2]
        local is_known = kind:match ":$" or words.types[kind]
        if not is_known then return where .. f[1] .. ": " .. kind end
        if type(f[3]) ~= "string" or f[3] == "" then return where .. f[1] .. " has no line" end
        local inner = f.fields and bad_field(f.fields, where .. f[1] .. ".")
        if inner then return inner end
    end
end

ok(bad_field({ { "x", "colour", "which" } }, "") ~= nil, "an unknown type of field is noticed")
ok(bad_field({ { "x", "text" } }, "") ~= nil, "a field without its line is noticed")
for _, block in ipairs(keys(schema)) do
    local first = type(schema[block]) == "table" and schema[block][1]
    if type(first) == "table" and type(first[2]) == "string" then
        ok(words.blocks[block] or words.functions[block], block .. " has a text",
            "write it in lua/docs_words.lua")
        local bad = bad_field(schema[block], block .. ".")
        ok(not bad, ("the fields of %s have a line and a known type"):format(block), bad)
    end
end

local environment = vocab.environment({ fault_kinds = {}, metrics = {}, pending = {}, names = {},
    plan = {} }, { pairs = pairs })
environment.pairs = nil -- Lua's own
for _, word in ipairs(keys(environment)) do
    ok(not explain(word):find "nothing is called", ("the word %s has a page"):format(word),
        "write it in lua/docs_words.lua")
end
for _, word in ipairs(keys(words.functions)) do
    ok(environment[word], ("the function %s is a word of the language"):format(word))
end

---The parts of a component, as its handle lists them when asked for one it has not.
local function parts_of(kind)
    local said
    local state = { metrics = { [kind] = {} }, metric_heads = { [kind] = {} },
        line = function() return 1 end,
        diag = { add = function(d) said = d.list end } }
    local _ = handles.component(state, { kind = kind, name = "x", fields = {} }).zzzzzz
    return table.concat(said[2], " ")
end

for _, kind in ipairs(schema.components) do
    local names = {}
    for i, part in ipairs(words.parts[kind]) do names[i] = part[1] end
    table.sort(names)
    ok(parts_of(kind) == table.concat(names, " "), ("the parts of a %s are known"):format(kind),
        parts_of(kind))
end

-- ---------------------------------------------------------------- pages

---What is wrong with how a page looks, or nil.
local function ugly(page, width)
    if page:find "[\128-\255\27]" then return "not plain text" end
    for line in page:gmatch "[^\n]*" do
        if #line > width and not line:match "^    " then return "too long: " .. line end
        if line:find "%s$" then return "ends in a space: " .. line end
    end
end

ok(ugly(("x"):rep(81), 80) and ugly("x \n", 80) and ugly("\27[1m", 80), "ugly pages are noticed")
ok(not ugly(explain "", 80), "the list of topics fits 80 columns", explain "")
local topics = {}
for line in lorenz "explain --names":gmatch "[^\n]+" do
    topics[#topics + 1] = line:match "^(%S+)\t%S"
    if not line:match "^(%S+)\t%S" then ok(false, "a topic says what it is", line) end
end
ok(#topics > 100, "there are topics", #topics)
local looks, broken = nil, nil
for _, topic in ipairs(topics) do
    local page = explain(topic)
    looks = looks or (page:find "nothing is called" or ugly(page, 80)) and topic .. ": " .. page
    local example = not documented[topic] and topic ~= "example" and example_of(topic, page)
    if example then
        local shape = words.shapes[topic:match "^shape%.(.+)$"]
        write_files(shape and shape.files)
        local said, got = judge(whole(example), "check")
        if got ~= "" or not ("\n" .. said):find "\nok " then
            broken = broken or topic .. ": " .. said
        end
    end
end
ok(not looks, "every topic has a page that fits 80 columns", looks)
ok(not broken, "the example of every page loads", broken)
ok(not ugly(lorenz "explain --width 50 service", 50), "a page fits 50 columns")

-- ---------------------------------------------------------------- modules

for name in output(("ls '%s/stdlib'"):format(root)):gmatch "([%w_]+)%.lua" do
    local page = explain(name)
    ok(page:find "\nExample\n", ("the module %s has a page with an example"):format(name), page)
    local file <close> = assert(io.open(("%s/stdlib/%s.lua"):format(root, name)))
    for f in file:read "a":gmatch "\nfunction M%.([%w_]+)" do
        ok(page:find(name .. "." .. f .. "(", 1, true), ("the page has %s.%s"):format(name, f))
    end
end

-- ---------------------------------------------------------------- words of other tools

---What a row says ours is and no page is about; nil if all is well.
local function unknown_topic(ours)
    for topic in (ours or ""):gmatch "%S+" do
        if explain(topic):find "nothing is called" then return topic end
    end
end

ok(unknown_topic "fault.kill fault.maim" == "fault.maim", "a topic that is not there is noticed")
for _, tool in ipairs(tools.list) do
    local page, lost, unknown = explain(tool[1]), nil, nil
    for _, row in ipairs(tool[3]) do
        unknown = unknown or unknown_topic(row[3])
        for word in row[2]:gmatch "%S+" do
            lost = lost or not page:find(word, 1, true) and word
        end
    end
    ok(not lost, ("the page of %s has all its words"):format(tool[2]), lost)
    ok(not unknown, ("what is ours of %s has pages"):format(tool[2]), unknown)
end
for _, word in ipairs(keys(tools.common)) do
    for kind in tools.common[word]:gmatch "%S+" do
        ok(not unknown_topic("fault." .. kind), ("what `%s` means has a page"):format(word), kind)
    end
end
for topic, said in pairs { ["pod-kill"] = "PodChaos: pod-kill, container-kill",
    PodNetworkLatency = "Litmus, pod: pod-network-latency  fault.latency",
    ["Chaos Toolkit"] = "steady-state-hypothesis",
    kernel_chaos = "system calls are not modelled", netsplit = "many tools  fault.partition",
    nemesis = "Jepsen: nemesis", tools = "aws-fis", Jepsen = "nemesis  ",
    ["health-check"] = "abort_when", externalTargets = "fault.partition { web, payments",
    ["aws:ebs:volume-io-latency"] = "AWS FIS, ebs: volume-io-latency  fault.disk_latency",
    ["aws:eks:pod-delete"] = "AWS FIS, eks: pod-delete", ["jvm-gc"] = "fault.pause",
    direction = "fault.bandwidth, corrupt, duplicate" } do
    ok(explain(topic):find(said, 1, true), ("%s is known by other tools' words"):format(topic),
        explain(topic))
end

ok(not explain "jepsen":find("attrition", 1, true), "a tool that shares a page has its own words",
    explain "jepsen")

-- ---------------------------------------------------------------- exit statuses

local statuses = {}
local header = output(("cat '%s/src/explore/exit.h'"):format(root))
for _, number in header:gmatch "LZ_EXIT_(%u+) = (%d+)" do statuses[tonumber(number)] = true end
for _, entry in ipairs(words.exits) do
    ok(statuses[entry[1]], ("exit status %d exists"):format(entry[1]))
    statuses[entry[1]] = nil
end
ok(next(statuses) == nil, "every exit status is explained", next(statuses))

os.execute("rm -rf '" .. folder .. "'")
print("1.." .. n)
os.exit(failed == 0, true)
