--- What fields of an alert and of a rule must be to each other.
local build_alert = require "build_alert"
local fields_alert = require "fields_alert"

local M = {}

local BURN_HELP = 'write rate = 14.4, or spends = "2%"'

--- What an alert's burn says must make a rate, and what is about `when` must have one.
function M.alert(say, f)
    local burn = f.burn
    if burn and burn.broken then return end
    if f.expr and (f.when or burn or f.over) then
        local other = f.when and "when" or burn and "burn" or "over"
        say("LZ111", "expr", ("%%s has both `expr` and `%s`"):format(other),
            "PromQL says all of it: write two alerts")
    elseif burn and f.when then
        say("LZ111", "burn", "%s has both `when` and `burn`", "write two alerts")
    elseif burn and (burn.rate == nil) == (burn.spends == nil) then
        say("LZ102", "burn", "`burn` of %s needs either `rate` or `spends`", BURN_HELP)
    elseif burn and burn.rate and burn.period then
        say("LZ102", "burn", "`period` of `burn` of %s is about `spends`, which is not there",
            BURN_HELP)
    elseif burn and f.over then
        say("LZ102", "over", "`over` of %s is about `when`: `burn` has its own")
    elseif burn and build_alert.burn_rate(burn) * (1.0 - burn.objective) >= 1.0 then
        say("LZ111", "burn", "`burn` of %s is never so high: more than all requests would have to "
            .. "fail", ("write a rate below %.10g"):format(1.0 / (1.0 - burn.objective)))
    end
end

--- Without `record` its name is what its series are called.
function M.rule(say, f, name)
    local why = not f.record and not f.broken and fields_alert.why_no_series(name)
    if why then
        say("LZ206", "rule", "%s says no `record`: " .. why:gsub("%%", "%%%%"),
            'write record = "job:errors:rate5m"')
    end
end

return M
