-- round_trip.lua LORENZ CASES FOLDER — what a run has recorded, written to a file and read back,
-- has the verdict it had in the run; TAP. FOLDER is for the files.
--
-- A row: scenario, case (false: it has but one), and for each expectation in order the model,
-- whatever else verify-history must be told, and the history's name where the file has several.
-- Among the verdicts are both answers for every kind.
local lorenz, cases, folder = arg[1], arg[2], arg[3]

local COUNTS = { "-m counter --of 'redis counter'", "-m set-full --of 'redis set'",
    "-m unique-ids --of 'redis ids'", "-m counter --of 'carts counter'" }
local TOPIC = { "-m partitions", "-m partitions --tolerates duplicate,reordered" }
local ROWS = {
    { "history_counts", "form=well", COUNTS }, { "history_counts", "form=lost", COUNTS },
    { "history_counts", "form=evicted", COUNTS },
    { "cache_sets", "nodes=2", { "-m set-full" } }, -- begins with reads of sets that are not there
    { "history_topic", "form=two in sync", TOPIC }, { "history_topic", "form=one in sync", TOPIC },
    { "history_topic", "form=not idempotent", TOPIC },
    { "history_topic", "form=leader alone", TOPIC },
    { "transaction_dirty", false, { "-m partitions --of orders", "-m partitions --of payments",
        "-m partitions --tolerates aborted-read --of audit" } },
    { "history_sets", "commit=async", { "-m set-full --of 'orders set'",
        "-m counter --of 'api counter'", "-m unique-ids --of 'api ids'" } },
    { "history_sets", "commit=sync", { "-m set-full --of 'orders set'",
        "-m counter --of 'api counter'", "-m unique-ids --of 'api ids'" } },
}
local CODES = { [0] = "pass", [1] = "fail", [3] = "inconclusive" }

local function read(path)
    local f <close> = assert(io.open(path))
    return f:read "a"
end

local number, plan = 0, 0
for _, row in ipairs(ROWS) do plan = plan + #row[3] end
print("1.." .. plan)
for _, row in ipairs(ROWS) do
    local json, history = folder .. "/round_trip.json", folder .. "/round_trip.jsonl"
    os.execute(("%s run --keep none %s -o json=%s -o history=%s %s/%s.lua >/dev/null 2>&1"):format(
        lorenz, row[2] and ("--case '%s'"):format(row[2]) or "", json, history, cases, row[1]))
    local list = read(json):match '"expectations":(%b[])'
    local verdicts = {}
    for one in list:gmatch "%b{}" do verdicts[#verdicts + 1] = one:match '"verdict":"(%a+)"' end
    for i, options in ipairs(row[3]) do
        local _, _, code = os.execute(("%s verify-history %s %s >/dev/null 2>&1"):format(lorenz,
            options, history))
        number = number + 1
        local ok = verdicts[i] ~= nil and CODES[code] == verdicts[i]
        print(("%s %d - %s %s: %s is read back as %s"):format(ok and "ok" or "not ok", number,
            row[1], row[2] or "", options, verdicts[i]))
        if not ok then print(("# verify-history says %s"):format(CODES[code] or code)) end
    end
end
os.remove(folder .. "/round_trip.json")
os.remove(folder .. "/round_trip.jsonl")
