-- S02: the SRE Workbook's burn rates for 99.9 % over 30 days (table 5-8): 2 % of the budget in 1 h
-- are 14.4 times what is allowed and an error ratio of 1.44 %, 5 % in 6 h 6 times and 0.6 %, 10 %
-- in 3 d once and 0.1 %.
--
-- Each alert says what is spent, and in which windows; the errors are 2 % more than that ratio, or
-- 2 % less, and exactly so: a handler fails each request that brings its sum over a whole one.
scenario "S02 burn rates" { duration = "20m", seeds = 1 }

local ROWS = {
    { "2%", { "1h", "5m" }, 0.0144 },
    { "5%", { "6h", "30m" }, 0.006 },
    { "10%", { "72h", "6h" }, 0.001 },
}

local function failing(name, ratio)
    local owed = 0
    local api = service(name) { service_time = "1ms", handle = { ["GET /"] = function()
        owed = owed + ratio
        if owed < 1 then return 200 end
        owed = owed - 1
        return 500
    end } }
    return traffic(name .. " users") { to = api, op = "GET /", rate = "100/s",
        arrivals = "constant" }
end

for i, row in ipairs(ROWS) do
    for word, factor in sorted { above = 1.02, below = 0.98 } do
        local name = ("%s row %d"):format(word, i)
        local burn = alert(name .. " burns") {
            burn = { of = failing(name, row[3] * factor), objective = "99.9%", spends = row[1],
                over = row[2] },
        }
        expect(name) { at_end = burn.firing:equals(word == "above" and 1 or 0) }
    end
end
