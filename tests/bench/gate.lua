--- gate.lua — speed as a ratio to a fixed loop that runs beside it.
---
---     lua5.4 gate.lua BENCH_KERNEL BUILD
---
--- Wall time on a shared machine moves by a factor of two from minute to minute; what it does
--- to the loop it does to the kernel. The best of three rounds is taken of each, and the bound
--- lies at half of what was measured, so only what made the kernel twice as slow is refused:
--- counts.lua sees the small things.
local M = {}

--- Events for a million steps of the loop, measured on a quiet machine.
M.bounds = {
    { name = "hold/1e3", measured = 15000 },
    { name = "pingpong", measured = 92000 },
}

function M.judge(bound, ratio)
    if ratio >= bound.measured / 2 then return nil end
    return ("%s makes %d events in the time of a million calibration steps, and must make %d: "
        .. "compare tools/bench %s with the commit before"):format(bound.name, ratio,
        bound.measured // 2, bound.name)
end

local function rate(program, name)
    local pin = os.execute "taskset -c 0 true >/dev/null 2>&1" and "taskset -c 0 " or ""
    local pipe <close> = assert(io.popen(("%s'%s' %s"):format(pin, program, name)))
    local figure = tonumber((pipe:read "a":match [["value":([%d.e+]+)]]))
    return figure or error("no figure came from " .. name)
end

local tests, failures = 0, 0

local function ok(is_true, name, why)
    tests = tests + 1
    if not is_true then failures = failures + 1 end
    print(("%s %d - %s"):format(is_true and "ok" or "not ok", tests, name))
    if why then print("# " .. why) end
end

local function main(program, build)
    if build ~= "gcc-3" then
        print(("1..0 # SKIP ratios are those of an optimised build by gcc, and this is %s")
            :format(build))
        return
    end
    for _, bound in ipairs(M.bounds) do
        local loop, work = 0, 0
        for _ = 1, 3 do
            loop = math.max(loop, rate(program, "calibration"))
            work = math.max(work, rate(program, bound.name))
        end
        local ratio = math.floor(work / loop * 1e6)
        local complaint = M.judge(bound, ratio)
        ok(not complaint, bound.name .. " keeps its ratio to the calibration loop",
            complaint or ("%d events for a million steps"):format(ratio))
    end
    ok(M.judge(M.bounds[1], M.bounds[1].measured / 2 - 1), "less than half of it is refused")
    print("1.." .. tests)
    os.exit(failures == 0, true)
end

main(arg[1], arg[2])
