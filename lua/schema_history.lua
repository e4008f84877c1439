--- Words of `expect` that are about histories: what clients did and saw.
---
---     expect "no read is old" { linearizable = db }
local M = {}

M.fields = {
    { "linearizable", "ref:database|consensus|cache|store",
        "its keys behave as if there were one copy of each" },
    { "serializable", "ref:database|consensus|cache|store",
        "its transactions, or outside of them what each request of a handler does to it, behave as "
            .. "if one came after another" },
    { "conserved", "ref:database",
        "its transactions move what its rows hold, and all that read all of them see one total" },
    { "column", "text", "of conserved, with SQL: whose total it is, such as accounts.balance" },
    { "mutual_exclusion", "ref:consensus|cache", "no lock of it is held twice" },
    { "fenced", "ref:database|cache|store",
        "no write with an older lock's token is accepted after one with a newer's" },
    { "read_your_writes", "ref:database|consensus|cache|store",
        "who wrote a value reads no older one" },
    { "monotonic_reads", "ref:database|consensus|cache|store", "what one reads never goes back" },
    { "monotonic_writes", "ref:database|consensus|cache|store",
        "one's writes are seen in their order" },
    { "writes_follow_reads", "ref:database|consensus|cache|store",
        "a write is seen after what its writer had read" },
    { "converges", "ref:database|consensus|cache|store",
        "after the last write of a key all read the same" },
    { "counter", "ref:cache|store|service",
        "what is read of its counters, and what increments are answered, has what was added" },
    { "set", "ref:cache|database|service",
        "what was added to its sets is in what is read of them, and nothing else" },
    { "unique_ids", "ref:cache|store|service", "no id is given twice" },
    { "adds", "ops", "of counter and set, of a service: the operations that add" },
    { "reads", "ops", "of counter and set, of a service: those that read all of it" },
    { "generates", "ops", "of unique_ids, of a service: those that are answered with an id" },
    { "per_key", "bool", "of the same: each key is a counter, a set or a sequence of its own" },
    { "log_intact", "ref:topic",
        "readers find what was acknowledged, where its producers were told, once and in order" },
    { "tolerates", "words", "of log_intact: what may happen all the same",
        choices = { "duplicate", "reordered", "aborted-read" } },
    { "consistency", "choice", "of serializable: a weaker level that its transactions are held to",
        choices = { "read-committed", "repeatable-read", "snapshot-isolation", "serializable",
            "strict-serializable" } },
    { "steps", "count", "of a history: budget of the search, per key; default 50000000", min = 1 },
}

--- The models of verify-history that they ask for.
M.models = {
    linearizable = "cas-register", serializable = "rw-register", conserved = "bank",
    mutual_exclusion = "mutex", fenced = "fenced",
    read_your_writes = "read-your-writes", monotonic_reads = "monotonic-reads",
    monotonic_writes = "monotonic-writes", writes_follow_reads = "writes-follow-reads",
    counter = "counter", set = "set-full", unique_ids = "unique-ids",
    converges = "convergence", log_intact = "partitions",
}

return M
