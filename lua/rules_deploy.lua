--- What cannot be true of a service's rollout, its budget and its versions.
local M = {}

local function is_none(portion)
    return portion and (portion.count or portion.share) == 0
end

local function check_rollout(say, f)
    local r = f.rollout
    local takes_over = r.strategy == "recreate" and (r.max_surge and "max_surge"
        or r.max_unavailable and "max_unavailable")
    if takes_over then
        say("LZ102", "rollout", ("`%s` of `rollout` of %%s is of a rolling update, and its "
            .. "strategy is recreate"):format(takes_over))
    elseif is_none(r.max_surge) and is_none(r.max_unavailable) then
        say("LZ206", "rollout", "`rollout` of %s: max_surge and max_unavailable are both 0, and no "
            .. "replica could be replaced", "give one of them at least 1")
    end
    if r.max_unavailable and (r.max_unavailable.share or 0) > 1 then
        say("LZ206", "rollout", "`rollout` of %s: max_unavailable is at most 100%%")
    end
end

local function check_budget(say, b)
    if (b.min_available == nil) == (b.max_unavailable == nil) then
        say("LZ206", "disruption_budget", "`disruption_budget` of %s has "
            .. (b.min_available and "both min_available and max_unavailable"
                or "neither min_available nor max_unavailable"),
            'one of them: { min_available = "50%" } or { max_unavailable = 1 }')
    elseif ((b.min_available or b.max_unavailable).share or 0) > 1 then
        say("LZ206", "disruption_budget",
            "`disruption_budget` of %s: at most 100%% of the replicas")
    end
end

--- The names of a service's versions, in order.
---@return string[] names
function M.versions(f)
    local names = {}
    for name in pairs(f.versions or {}) do names[#names + 1] = name end
    table.sort(names)
    return names
end

local function check_versions(say, f)
    for _, name in ipairs(M.versions(f)) do
        local fails = f.versions[name].fails
        if fails and not f.rollout then
            say("LZ102", "versions", ("version %s of %%s `fails`, which a rollout would find")
                :format(name), "give it rollout = {}; requests that are routed to a version are "
                .. "served by replicas that run")
        elseif fails == "readiness" and not f.readiness then
            say("LZ102", "versions", ("version %s of %%s fails its readiness probe, and there is "
                .. "none"):format(name), 'give the service readiness = { period = "5s" }')
        end
    end
end

---@param say fun(code: string, field: string, text: string, help: string?)
---@param f table  the fields of a service
function M.check(say, f)
    if f.rollout and not f.rollout.broken then check_rollout(say, f) end
    local budget = f.disruption_budget
    if budget and not budget.broken then check_budget(say, budget) end
    if f.versions then check_versions(say, f) end
end

return M
