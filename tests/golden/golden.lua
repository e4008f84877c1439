-- golden.lua LORENZ FOLDER run|check|json|sarif|github [--write] — transcripts, byte for byte; TAP.
local lorenz, folder, verb, write = arg[1], arg[2], arg[3], arg[4] == "--write"

local COMMANDS = { run = "run --keep none --width 80", check = "check",
    json = "check -o json=-", sarif = "check -o sarif=-", github = "check -o github=-" }
local IS_TEXT = { run = true, check = true }

-- A token names the texts of scenario and engine, which change with any edit.
local function output(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read "a"
    pipe:close()
    text = text:gsub('"version":"%d+%.%d+%.%d+[^"]*"', '"version":"VERSION"')
    text = text:gsub('"version":"VERSION",\n"runs"', '"version":"2.1.0",\n"runs"')
    return (text:gsub("lz1%-(%d+)%-%x+%-%x+", "lz1-%1-SCENARIO-ENGINE"))
end

local function read(path)
    local file = io.open(path, "rb")
    if not file then return nil end
    local text = file:read "a"
    file:close()
    return text
end

local names = {}
for name in output("ls " .. folder):gmatch "([%w_]+)%.lua\n" do names[#names + 1] = name end
table.sort(names)

local failed = 0
for i, name in ipairs(names) do
    local command = ("cd %s && env -i LANG=C.UTF-8 %s %s --color never %s.lua 2>&1; "
        .. "echo \"exit $?\""):format(folder, lorenz, COMMANDS[verb], name)
    local path = ("%s/%s.%s"):format(folder, name, IS_TEXT[verb] and "out" or verb)
    if write then assert(io.open(path, "wb")):write(output(command)):close() end
    local want = read(path)
    local first, second = output(command), output(command)
    local ok = first == want and second == want
    if not ok then
        failed = failed + 1
        print("# want:\n# " .. (want or "no file"):gsub("\n", "\n# "))
        print("# got:\n# " .. (first ~= want and first or second):gsub("\n", "\n# "))
    end
    print(("%s %d - %s is printed as before"):format(ok and "ok" or "not ok", i, name))
end
print("1.." .. #names)
os.exit(failed == 0 and #names > 0, true)
