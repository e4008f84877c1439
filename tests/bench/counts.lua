--- counts.lua — instructions of short pieces of work, held under bounds.
---
---     lua5.4 counts.lua PROGRAM BUILD
---
--- valgrind counts what happens inside `counted` of counted.c. The same program counts the
--- same number each time, so a bound can be near what was measured; wall time would need a
--- margin that hides what it should show. A change that costs more than the bound is refused
--- here; one that is worth its cost raises the bound, and says so. BUILD is "gcc-3", the
--- compiler and its optimisation: bounds were measured with that one, for others the test is
--- skipped with the reason.
local M = {}

--- What was measured, per piece of work, and by how much it may grow.
M.bounds = {
    { name = "hold", pieces = 100000, measured = 320, slack = 1.08, of = "event" },
    { name = "mm1", pieces = 100000, measured = 678, slack = 1.08, of = "customer" },
    { name = "mm8", pieces = 100000, measured = 689, slack = 1.08, of = "customer" },
    { name = "mm1_service", pieces = 9900, measured = 3358, slack = 1.08, of = "customer" },
    { name = "tier3", pieces = 10000, measured = 5779, slack = 1.08, of = "request" },
    { name = "tier3_lua", pieces = 10000, measured = 9986, slack = 1.08, of = "request" },
    { name = "sleepers", pieces = 100000, measured = 1177, slack = 1.08, of = "sleep" },
    { name = "switches", pieces = 100000, measured = 768, slack = 1.08, of = "switch" },
    { name = "universe", pieces = 1, measured = 2246000, slack = 1.15, of = "universe" },
}

---@return string? complaint nothing if the count is within the bound
function M.judge(bound, count)
    local each = count // bound.pieces
    local limit = math.floor(bound.measured * bound.slack)
    if each <= limit then return nil end
    return ("%s takes %d instructions per %s, at most %d are allowed (%d were measured); find "
        .. "what costs more with: valgrind --tool=callgrind --toggle-collect=counted "
        .. "bench_counted %s"):format(bound.name, each, bound.of, limit, bound.measured, bound.name)
end

---@return string? reason why nothing can be said of this build on this machine
function M.skipped(build, has_valgrind)
    if build ~= "gcc-3" then
        return ("bounds are those of an optimised build by gcc, and this is %s"):format(build)
    end
    if not has_valgrind then return "valgrind is not there: apt-get install valgrind" end
    return nil
end

local function count_of(program, name)
    local command = ("valgrind --tool=callgrind --toggle-collect=counted "
        .. "--callgrind-out-file=/dev/null '%s' %s 2>&1"):format(program, name)
    local pipe <close> = assert(io.popen(command))
    local said = pipe:read "a"
    local count = tonumber(said:match "Collected : (%d+)")
    assert(count and count > 0, "valgrind counted nothing; it said:\n" .. said)
    return count
end

local tests, failures = 0, 0

local function ok(is_true, name, why)
    tests = tests + 1
    if not is_true then failures = failures + 1 end
    print(("%s %d - %s"):format(is_true and "ok" or "not ok", tests, name))
    if why then print("# " .. why) end
end

local function main(program, build)
    local reason = M.skipped(build, os.execute "valgrind --version >/dev/null 2>&1")
    if reason then
        print("1..0 # SKIP " .. reason)
        return
    end
    local counts = {}
    for _, bound in ipairs(M.bounds) do
        counts[bound.name] = count_of(program, bound.name)
        local complaint = M.judge(bound, counts[bound.name])
        ok(not complaint, ("%s keeps to its bound per %s"):format(bound.name, bound.of),
            complaint or ("%d per %s"):format(counts[bound.name] // bound.pieces, bound.of))
    end
    ok(count_of(program, "hold") == counts.hold, "the same work counts the same again")
    local first = M.bounds[1]
    local most = math.floor(first.measured * first.slack)
    ok(not M.judge(first, most * first.pieces) and M.judge(first, (most + 1) * first.pieces) ~= nil,
        "one instruction per event more than the bound is refused")
    ok(M.skipped("clang-3", true) and M.skipped("gcc-0", true) and M.skipped("gcc-3", false)
        and not M.skipped("gcc-3", true), "what cannot be judged says why")
    print("1.." .. tests)
    os.exit(failures == 0, true)
end

main(arg[1], arg[2])
