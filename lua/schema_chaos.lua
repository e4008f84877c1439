--- The fields of `chaos "name" { ... }`: how much may go wrong at once.
return {
    { "from", "duration", "when the first fault may begin; default the end of the warm-up" },
    { "to", "duration", "when none begins any more; default the end of the run" },
    { "together", "count", "faults that may be active at once; default 1", min = 1 },
    { "zones", "count", "zones that may be touched at once; default 1", min = 1 },
    { "targets", "count", "targets that may be hit at once; default as many as `together`",
        min = 1 },
    { "replicas", "ratio", "share of a component's replicas that may be hit at once; default 50%",
        above_zero = true },
    { "quiet", "duration", "how long nothing begins after the last fault has ended; default 0s" },
    { "most", "count", "faults in all; default no limit but 1000", min = 1, max = 1000 },
    { "only", "counts", "numbers of the faults that come, as the plan has them; default all" },
}
