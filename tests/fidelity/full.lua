-- full.lua LORENZ SCENARIO [SEEDS [CUSTOMERS]] — twenty seeds of each case, of a million customers
-- where the row has them as a param; the mean of each whole-run metric named
-- in a row's expectations must lie within four standard errors of the middle of its bounds, and
-- within 1 % of it, a quantile within 2 %.
local lorenz, scenario = arg[1], arg[2]
local SEEDS, Z = tonumber(arg[3] or 20), 4

local file <close> = assert(io.open(scenario))
local set = file:read "a":find('param("customers"', 1, true)
    and "--set customers=" .. (arg[4] or "1000000") or ""

local function run(seed)
    local command = "%s run --keep none -j 2 --report-only --seed %d %s -o json=- %s 2>&1"
    local pipe = assert(io.popen(command:format(lorenz, seed, set, scenario)))
    local text = pipe:read "a"
    pipe:close()
    return text
end

-- The document is ours and its order fixed: a pattern finds what is needed.
local sums, order = {}, {}
for seed = 1, SEEDS do
    for case, body in run(seed):gmatch '"case":(%b{}).-"expectations":(%b[])' do
        for name, expected, value in body:gmatch
            '"name":"(.-)".-"expected":"(.-)".-"value":([%d%.eE+-]+)' do
            local key = case .. " " .. name
            local is_row = expected:find "between" -- others are no numbers: at_most, above
            if is_row and not sums[key] then
                sums[key] = { n = 0, sum = 0, squares = 0, expected = expected }
                order[#order + 1] = key
            end
            local s = is_row and sums[key]
            if s then
                s.n, s.sum, s.squares = s.n + 1, s.sum + value, s.squares + value * value
            end
        end
    end
end

local UNITS = { ms = 1e-3, us = 1e-6, s = 1, ns = 1e-9, ["/s"] = 1, ["%"] = 0.01, [""] = 1 }
local function number(text)
    local n, unit = text:match "^([%d%.eE+-]+)(.-)$"
    return tonumber(n) * UNITS[unit]
end

local failed = 0
for _, key in ipairs(order) do
    local s = sums[key]
    local low, high = s.expected:match "between ([%d%.eE+-]+%S*) and ([%d%.eE+-]+%S*)"
    local want = (number(low) + number(high)) / 2
    local mean = s.sum / s.n
    local error_of_mean = math.sqrt(math.max(0, s.squares / s.n - mean * mean) / (s.n - 1))
    local is_quantile = key:find "percentile" or key:find "median"
    local share = is_quantile and 0.02 or 0.01
    local off = math.abs(mean - want)
    -- Twenty runs of a heavy queue do not know its mean to 1 %: then the z-test alone decides.
    local is_known = Z * error_of_mean <= share * want
    -- Where nothing is drawn all runs agree: then the share alone decides.
    local is_drawn = s.squares / s.n - mean * mean > 1e-12 * mean * mean
    local ok = (off <= Z * error_of_mean or not is_drawn) and (off <= share * want or not is_known)
    if not ok then failed = failed + 1 end
    print(("%s %s: want %.6g, mean of %d seeds %.6g +- %.2g"):format(ok and "ok" or "NOT OK", key,
        want, s.n, mean, error_of_mean))
end
print(("%d rows, %d not ok"):format(#order, failed))
os.exit(failed == 0 and #order > 0, true)
