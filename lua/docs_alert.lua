--- The pages of alerting: words, and the types of fields that only it has.
local M = {}

M.blocks = {
    alert = { text = "An alerting rule, as Prometheus evaluates it: pending when what it says is "
        .. "true, firing when it was so for `pending`, resolved when it no longer is. It knows of "
        .. "metrics what was scraped: rates, ratios and quantiles over a range, levels and counts "
        .. "as they last were, for 5m, and cpu and busy as they were since the last scrape. "
        .. "A scrape that a fault loses leaves no last one; what is dead is scraped still: ask its "
        .. "replicas.up, or in PromQL `up`. Who is told, and when, is Alertmanager's: see "
        .. "`monitoring`. It is an "
        .. "anchor for `after`, from when it first fires, and so are its `.fired`, `.notified` and "
        .. "`.resolved`, which comes after `keep_firing_for`; in an expectation with `after` or "
        .. "`during` they are about the times from then on, and wait_until waits for the next. A "
        .. "live run evaluates it too, from what it observes. In place of `when` it may have "
        .. "`expr`, an expression in PromQL: each element of its vector is an alert of its "
        .. "own to the "
        .. "Alertmanager, with the element's labels under those of the alert; `.pending` and "
        .. "`.firing` count them, `.fired` is the first, `.resolved` the last. Metrics are called "
        .. "as `-o openmetrics` calls them, lorenz_latency_p99_seconds for latency.p99, and have "
        .. "the label component. What they are made of is there too: of errors.rate or "
        .. "errors.ratio "
        .. "the counters lorenz_errors_total and lorenz_errors_of_total (what it is a share of), "
        .. "of rate lorenz_requests_total, of a count such as lost_acks lorenz_lost_acks_total, of "
        .. "latency.* the histogram lorenz_latency_seconds_bucket, _sum and _count, whose le are "
        .. "0.001 to 10. lorenz_outcomes_total counts each request that ended once, by the label "
        .. "outcome: ok, failed, refused, timeout; with it an error ratio is written as usual. "
        .. "`up` is, as everywhere, 1 for each process that answers a scrape and 0 for one that "
        .. "does not (dead, starting, stopping, standing still, or a sample lost), with the "
        .. "label instance, api[2]. What rules know of each other is ALERTS, with alertname, "
        .. "alertstate (pending, firing) and the alert's labels, ALERTS_FOR_STATE, since when, "
        .. "and what a `rule` records. Rules are evaluated in the order of their declaration, "
        .. "those that record before alerts; those with the same `every` are a group, which "
        .. "keeps its own time. "
        .. "`-o openmetrics` writes the gauges alone: a run keeps no more. "
        .. "Gauges are as they are when they are scraped, cpu and busy as since the scrape "
        .. "before; rates, ratios and quantiles as in the last second. "
        .. "What is expected of an alert whose expression could not be "
        .. "evaluated at some instant, two elements matching where one may, is inconclusive.",
        example = [[
local page = alert "Visitors see errors" {
  when = users.errors.ratio:above "5%", over = "1m",
  pending = "1m", labels = { severity = "page" },
}
alert "A component fails" {
  expr = "rate(lorenz_errors_total[5m]) / rate(lorenz_requests_total[5m]) > 0.02", pending = "1m",
}
expect "somebody is told in time" {
  eventually = page.notified, after = fault.kill { db, at = "4m", lasting = "5m" }, within = "4m",
}]] },
    rule = { text = "A recording rule, as Prometheus evaluates it: what its expression finds is a "
        .. "series of its own from then on, which alerts and other rules read by its name, with "
        .. "the labels of the elements and those of the rule. All rules are evaluated every "
        .. "evaluation_interval, or `every`, those that record first, in the order of their "
        .. "declaration: a rule sees what those before it have just recorded, and of those behind "
        .. "it what they recorded the last time. What is no longer found is gone at once; where an "
        .. "evaluation fails, the last samples are there for 5m, and what is expected of an alert "
        .. "that reads them is inconclusive. Several rules may record one name, with `record`, if "
        .. "their labels differ. `.value` is the greatest element of the last evaluation, none "
        .. "while there is none, `.elements` how many there were. Metrics are called as `alert` "
        .. "says.",
        example = [[
local ratio = rule "component:errors:ratio5m" {
  expr = "sum by (component) (rate(lorenz_errors_total[5m])) / "
    .. "sum by (component) (rate(lorenz_requests_total[5m]))",
}
local page = alert "A component fails" { expr = "component:errors:ratio5m > 0.02", pending = "1m" }
alert "A process is gone" { expr = "count by (component) (up == 0) > 0", pending = "1m" }
expect "no component fails" { always = ratio.value:below(0.02) }]] },
    monitoring = { is_silent = true, text = "How all alerts of a scenario are looked after: "
        .. "how often targets are scraped and rules evaluated, as in prometheus.yml, each at a "
        .. "phase that the seed decides; and whom Alertmanager tells, when, and of what not. "
        .. "Without it the defaults stand. Prometheus' own intervals are 1m; 15s is what the file "
        .. "says that it comes with.",
        example = [[
alert "Visitors see errors" {
  when = users.errors.ratio:above "5%", labels = { severity = "page" },
}
monitoring "prometheus" {
  scrape_interval = "15s", group_by = { "alertname" }, group_wait = "30s",
  inhibit = { { source = { severity = "page" }, target = { severity = "ticket" } } },
  silences = { { match = { team = "shop" }, at = "2m", lasting = "10m" } },
}]] },
}

M.types = {
    conditions = { "conditions", 'a matcher, { matcher, over = "1h" }, or a list of these',
        "Matcher|table" },
    promql = { "PromQL", 'an expression of Prometheus: "sum(rate(lorenz_errors_total[5m])) > 1"',
        "string" },
    series_name = { "name", 'what series are called: "job:errors:rate5m"', "string" },
    labels = { "labels", 'texts by name: { severity = "page" }', "table<string, string|number>" },
    label_matchers = { "labels", 'what labels must be: { severity = "page" }, one of several '
        .. '{ team = { "shop", "pay" } }, there at all { team = true }, or not { team = false }',
        "table<string, string|string[]|boolean>" },
    names = { "names", 'of labels: { "alertname", "team" }', "string[]" },
    durations = { "durations", 'a list of them: { "1h", "5m" }', "Duration[]" },
    blocks = { "list", "a list of blocks", "table[]" },
}

return M
