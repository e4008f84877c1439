-- The zoo of broken systems: each is found by a sweep, and its repaired form passes over the same
-- seeds.
--
--     lua5.4 tests/zoo/zoo.lua LORENZ SCENARIOS [SEEDS]
--
-- How many seeds find each at all is written beside it; the suite takes no more, up to 200 by hand.
local lorenz, folder, seeds = arg[1], arg[2], tonumber(arg[3])

local ZOO = {
    { "ack_before_quorum", 10 }, { "charged_twice", 3 }, { "clock_lease", 10 },
    { "double_apply", 3 }, { "id_twice", 3 }, { "lost_element", 3 }, { "lost_like", 3 },
    { "lost_update", 3 }, { "paid_twice", 3 }, { "pool_deadlock", 5 }, { "split_brain", 3 },
    { "stale_read", 3 },
}

local function sweep(name, form, count)
    local command = ("%s sweep %s/%s.lua --case form=%s --seeds %d --no-save --no-shrink")
        :format(lorenz, folder, name, form, count) .. " 2>/dev/null"
    local pipe <close> = assert(io.popen(command))
    local out = pipe:read "a"
    local _, _, code = pipe:close()
    local row = out:match("form=" .. form .. "%s+(%d[^\n]*)") or ""
    local pass, fail, open = row:match "^(%d+)%s+(%d+)%s+([%d%-]+)"
    return { code = code, pass = tonumber(pass), fail = tonumber(fail), open = open, out = out }
end

local number = 0
local function ok(is_ok, what, r)
    number = number + 1
    print(("%s %d - %s"):format(is_ok and "ok" or "not ok", number, what))
    if not is_ok then print((r.out:gsub("[^\n]+", "# %0"))) end
end

print("1.." .. 2 * #ZOO)
for _, row in ipairs(ZOO) do
    local name, count = row[1], seeds or row[2]
    local broken = sweep(name, "broken", count)
    ok(broken.code == 1 and (broken.fail or 0) > 0,
        ("%s is found within %d seeds"):format(name, count), broken)
    local repaired = sweep(name, "repaired", count)
    ok(repaired.code == 0 and repaired.pass == count,
        ("%s, repaired, passes over the same"):format(name), repaired)
end
