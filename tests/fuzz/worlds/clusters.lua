--- A Kubernetes cluster: rollouts while nodes are lost and drained, budgets of disruption,
--- autoscalers, a control plane that may be one of its own, queues whose work is preempted; and
--- rules and alerts in PromQL that look at all of it.
local function running(w)
    return 'restart = "always", crash_backoff = { first = "200ms", max = "1s" }, '
        .. w:maybe(0.5, "startup = %s", w:dist(1, 2000))
        .. ('readiness = { period = "%s", failure_threshold = %d }, '):format(w:time(200, 1500),
            w:int(1, 3))
        .. w:maybe(0.3, 'grace_period = "%s"', w:time(0, 3000))
        .. w:maybe(0.3, 'pre_stop = "%s"', w:time(0, 1500))
        .. w:maybe(0.3, 'endpoint_delay = %s', w:dist(0, 900))
end

-- A service of a Deployment, with what an operator does to it.
local function deployment(w, name, calls)
    local replicas = w:int(1, 6)
    local is_scaled = w:chance(0.3)
    local rollout = w:one { 'strategy = "recreate", ', "max_surge = 1, max_unavailable = 0, ",
        'max_surge = "50%", ', 'max_surge = 0, max_unavailable = "40%", ', "" }
    w:line('local %s = service "%s" { replicas = %d, spread = eu, concurrency = %d, %s%s%s', name,
        name, replicas, w:int(1, 16), running(w), calls,
        ("service_time = %s, "):format(w:dist(0, 20)))
    w:line("    %s%s", w:maybe(0.4, "queue = { max = %d, preemptive = true }", w:int(1, 100)),
        w:maybe(0.5, "disruption_budget = { %s }", w:one { "max_unavailable = 1",
            'min_available = "50%"', 'max_unavailable = "30%"', "min_available = 1" }))
    w:line("    %s", is_scaled and ('autoscale = { min = 1, max = %d, target_cpu = "50%%", '
        .. 'startup = "%s", cooldown = "%s", period = "%s" },'):format(replicas + w:int(0, 3),
            w:time(0, 2000), w:time(100, 3000), w:time(200, 3000)) or "")
    w:line('    versions = { v1 = {}, v2 = { service_time = "%s", error_ratio = "%d%%" }, '
        .. 'v3 = { fails = "%s" } }, version = "v1",', w:time(0, 30), w:int(0, 50),
        w:one { "start", "readiness" })
    w:line('    rollout = { %s%s%s} }', rollout, w:maybe(0.5, 'min_ready = "%s"', w:time(0, 3000)),
        w:maybe(0.5, 'progress_deadline = "%s"', w:time(4000, 20000)))
    local parts = {}
    for i = 1, replicas do parts[i] = ("%s.replica[%d]"):format(name, i) end
    w:has("service", name, parts)
    if is_scaled then w:has("scaled", name) end
    w:watch(name)
    w:metric(name .. ".replicas.ready", tostring(w:int(0, replicas)))
    for _, version in ipairs { "v1", "v2", "v2", "v3" } do
        w:act('%s:deploy "%s"', name, version)
    end
    w:act("%s:deploy()", name)
    -- Whatever was begun, somebody goes back to what is good when all is over.
    w:line('drive("%s is put right", function()', name)
    w:line('    sleep "%ds"', w.quiet)
    w:line('    %s:deploy "v1"', name)
    w:line("end)")
    w:settled(name .. " has nobody waiting", name .. ".queue.length:equals(0)")
    w:settled(name .. " has all it wants", is_scaled and name .. ".replicas.ready:at_least(1)"
        or ("%s.replicas.ready:equals(%d)"):format(name, replicas))
    if not is_scaled then
        w:settled(name .. " is of one version", ("%s.replicas.updated:equals(%d)"):format(name,
            replicas))
        w:settled(name .. " lacks nothing", name .. ".replicas.unavailable:equals(0)")
    end
    return name
end

-- What rules record, each from what is there; an alert on some of them.
local function watching(w, names)
    w:line('monitoring "prometheus" { scrape_interval = "%s", evaluation_interval = "%s", '
        .. 'group_wait = "%s", group_interval = "%s" }', w:time(200, 3000), w:time(200, 3000),
        w:time(0, 2000), w:time(500, 5000))
    local known = { "up", "lorenz_errors_total", "lorenz_requests_total", "lorenz_queue_length" }
    for r = 1, w:int(1, 4) do
        local of, range = w:one(known), ("%ds"):format(w:int(2, 20))
        local selector = of:find "^job" and of
            or of == "up" and "up" or ('%s{component=~"%s.*"}'):format(of, w:one(names))
        local name = "job:r" .. r
        w:line('local r%d = rule "%s" { expr = [[%s]], %s}', r, name, (w:one {
            "sum by (component) (rate(@[%]))", "max_over_time(@[%])", "@ offset 3s",
            "topk(2, @)", "count(@ == 0) or vector(0)", "sum(@) / count(@)",
            "quantile_over_time(0.9, @[%])", "changes(@[%]) > 0", "avg without (instance) (@)",
            "max_over_time((sum(@))[%:1s])", 'label_replace(@, "job", "$1", "component", "(.*)")',
            "absent(@ > 5)", "clamp(deriv(@[%]), -1, 1)" })
            :gsub("@", function() return selector end):gsub("%%", range),
            w:maybe(0.3, 'every = "%s"', w:time(100, 4000)))
        known[#known + 1] = name
        w:metric(("r%d.elements"):format(r), tostring(w:int(0, 5)))
    end
    for a = 1, w:int(1, 3) do
        local name = "alert" .. a
        w:line('local %s = alert "%s" { expr = [[%s %s %s]], %s%s}', name, name,
            ("sum(%s)"):format(w:one(known)), w:one { ">", "<", "==", ">= bool" }, w:int(0, 9),
            w:maybe(0.5, 'pending = "%s"', w:time(0, 5000)),
            w:maybe(0.3, 'keep_firing_for = "%s"', w:time(0, 5000)))
        w:metric(name .. ".firing", "0")
        w:metric(name .. ".notifications", tostring(w:int(0, 3)))
    end
end

return function(w)
    w.settle = 400
    local has_own = w:chance(0.4)
    w:line('local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms", '
        .. 'node_lifecycle = { lease_renew = "%s", monitor_period = "1s", monitor_grace = "%s", '
        .. 'toleration = "%s", eviction_rate = "%s/s" } }', w:one { "0s", "1s" },
        w:time(2000, 5000), w:time(0, 8000), w:one { "0.5", "10" })
    w:has("place", "eu")
    for _, zone in ipairs { "a", "b", "c" } do w:has("place", "eu.zone." .. zone) end
    if has_own then
        w:line('local plane = service "plane" { replicas = %d, spread = eu, control_plane_of = eu, '
            .. "%s }", w:one { 1, 2, 3, 3, 5 }, running(w))
        w:has("service", "plane", { "plane.replica[1]" })
        w:watch "plane"
    end
    local names = {}
    for s = 1, w:int(1, 3) do
        local calls = s > 1 and w:maybe(0.7, 'calls = { call { %s, timeout = "%s", retries = %d, %s'
            .. 'health = { by = "endpoints" } } }', w:one(names), w:time(50, 2000), w:int(0, 3),
            w:maybe(0.4, "priority = %d", w:int(0, 7))) or ""
        names[s] = deployment(w, "app" .. s, calls)
    end
    for i = 1, w:int(1, 3) do
        local name = "users" .. i
        w:line('local %s = traffic "%s" { to = %s, rate = %s, timeout = "%s", %s%s%s}', name, name,
            w:one(names), w:load(1, 60), w:time(100, 3000),
            w:maybe(0.6, 'health = { by = "endpoints" }'),
            w:maybe(0.5, "priority = %d", w:int(0, 7)), w:maybe(0.3, "retries = 2"))
        w:watch(name, true)
    end
    watching(w, names)
end
