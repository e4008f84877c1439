-- histories.lua LORENZ FOLDER — public histories against the verdicts that came with them; TAP.
--
-- FOLDER/VERDICTS.tsv names file, model and verdict. Where the folder is not, nothing is tested.
-- Transactions of plain registers (from AWDIT) have a verdict for each of three levels; the file
-- rw-register.edn has a read of what nobody wrote, which is violated whatever the level.
local lorenz, folder = arg[1], arg[2]
local list = io.open(folder .. "/VERDICTS.tsv")
if not list then
    print "1..0 # SKIP no histories here"
    os.exit(true, true)
end

local MODELS = { ["kv put/get/append, per key"] = "kv", ["cas-register(nil)"] = "cas-register",
    ["bank total=100"] = "bank --total 100", ["long-fork, group size 3"] = "long-fork" }
local LEVELS = { "causal", "read-atomic", "read-committed" }

local tests, failed = 0, 0
local function expect(file, options, holds)
    local command = ("%s verify-history %s %s/%s >/dev/null 2>&1"):format(lorenz, options, folder,
        file)
    local _, _, status = os.execute(command)
    tests = tests + 1
    local ok = status == (holds and 0 or 1)
    if not ok then failed = failed + 1 end
    print(("%s %d - %s %s %s"):format(ok and "ok" or "not ok", tests, file, options,
        holds and "holds" or "is violated"))
end

for line in list:lines() do
    local file, model, verdict = line:match "^([^#\t][^\t]*)\t([^\t]*)\t([^\t]*)\t"
    if file and model:find "^read/write" then
        for _, level in ipairs(LEVELS) do
            local holds = file:find "^awdit/causal" or not file:find "^awdit/none"
                and (level == "read-committed"
                    or level == "read-atomic" and file:find "^awdit/read%-atomic")
            expect(file, "-m rw-register -c " .. level, holds)
        end
    elseif file then
        local options = "-m " .. (MODELS[model] or model)
        if verdict:find "NOT serializable" then options = options .. " -c serializable" end
        expect(file, options, not (verdict:find "NOT" or verdict:find "INVALID"))
    end
end
list:close()
print("1.." .. tests)
os.exit(failed == 0 and tests > 0, true)
