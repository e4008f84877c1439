-- Sessions at the prompt: what is typed in each *.session goes in by a pipe, and what comes out
-- must equal the .out beside it, twice. The first line says what is opened, and so does each
-- further one that begins with four dashes: `---- repl PATH [options]`. A session has a folder of
-- its own, in which `scenarios` and `zoo` are the project's.
--
--     lua5.4 repl.lua LORENZ [--write]
local lorenz, write = arg[1], arg[2] == "--write"
local here = arg[0]:match "^(.*)/" or "."

local function read(path)
    local f = io.open(path, "rb")
    if not f then return nil end
    local text = f:read "a"
    f:close()
    return text
end

local function sh(text)
    local p = assert(io.popen(text))
    local out = p:read "a"
    p:close()
    return out
end

local function write_file(path, text)
    local f = assert(io.open(path, "wb"))
    f:write(text)
    f:close()
end

local function run(session)
    local folder = sh("mktemp -d"):gsub("%s+$", "")
    local project = sh(("cd '%s/../..' && pwd"):format(here)):gsub("%s+$", "")
    for _, name in ipairs { "scenarios", "zoo" } do
        sh(("ln -s '%s/%s' '%s/%s'"):format(project, name, folder, name))
    end
    local out = {}
    for part in (session .. "\n---- "):gmatch "(.-)\n%f[%-]%-%-%-%- " do
        local what, typed = part:gsub("^%-%-%-%- ", ""):match "^([^\n]*)\n?(.*)$"
        write_file(folder .. "/typed", typed .. "\n")
        out[#out + 1] = sh(("cd '%s' && XDG_CONFIG_HOME='%s' '%s' %s --color never <typed 2>&1;"
            .. " echo exit $?"):format(folder, folder, lorenz, what))
    end
    sh(("rm -r '%s'"):format(folder))
    return (table.concat(out):gsub("token lz1%-(%d+)%-%x+%-%x+",
        "token lz1-%1-SCENARIO-ENGINE"):gsub("%(%x+; ([%w_/%.]+) is %x+%)", "(HASH; %1 is HASH)"))
end

local names = {}
for name in io.popen(("ls '%s'/*.session"):format(here)):lines() do names[#names + 1] = name end
local failed = 0
for i, name in ipairs(names) do
    local session, golden = read(name), name:gsub("%.session$", ".out")
    local out = run(session)
    if write then
        local f = assert(io.open(golden, "wb"))
        f:write(out)
        f:close()
    end
    local expected = read(golden)
    local good = out == expected and run(session) == out
    if not good then
        failed = failed + 1
        for line in out:gmatch "[^\n]*" do print("# " .. line) end
    end
    print(("%s %d - %s"):format(good and "ok" or "not ok", i, name:match "([^/]*)%.session$"))
end
print("1.." .. #names)
os.exit(failed == 0)
