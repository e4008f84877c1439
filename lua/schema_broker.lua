--- What a broker, its topics and their consumers say of themselves, and what a producer does. Rows
--- as in schema.lua; the words are Kafka's.
local M = {}

M.broker = {
    { "nodes", "count", "default 1", min = 1, max = 64 },
    { "election", "duration", "from a node's silence until its partitions have other leaders; "
        .. "default 6s", above_zero = true },
    { "disk_write", "dist", "of one append, beside what `disk` says; default 1ms" },
    { "replica_lag_time", "duration", "a copy that has not caught up for so long is not in sync "
        .. "(replica.lag.time.max.ms); default 30s", above_zero = true },
    { "flush", "duration", "how old a record may get before it is on the disk: what is younger is "
        .. "lost with the host's power; 0s flushes each; default 30s, as Linux does" },
}

M.topic = {
    { "on", "ref:broker", "the broker that keeps it", required = true },
    { "partitions", "count", "default 1", min = 1, max = 100000 },
    { "replication", "count", "copies of each partition, at most 16; default 1", min = 1 },
    { "min_isr", "count", "copies in sync that an acknowledgement needs; default 1", min = 1 },
    { "unclean", "bool", "a copy that is not in sync may lead when no other is left; default "
        .. "false" },
    { "retention", "duration", "older records expire; default 168h", above_zero = true },
    { "retention_bytes", "size", "of a partition: more expires, the oldest first; default any",
        above_zero = true },
}

M.consumers = {
    { "of", "ref:topic", "what they read", required = true },
    { "members", "count", "default 1", min = 1, max = 1000 },
    { "batch", "count", "records taken at once; default 500", min = 1 },
    { "work", "dist", "per record; default 1ms" },
    { "cpu", "number", "cores of a member, which works on one thing at a time; default 1" },
    { "handle", "handler", "its own code for a record: function(record) ... end; a false answer "
        .. "is a failure" },
    { "calls", "calls", "what it asks of others for each record, in order" },
    { "on_error", "choice", "what becomes of a record that fails: again after 1s, passed over, or "
        .. "the process ends; default retry", choices = { "retry", "skip", "crash" } },
    { "session", "duration", "a member that is silent for so long is out; default 45s",
        above_zero = true },
    { "heartbeat", "duration", "how often a member is heard; default 3s, or a third of the session",
        above_zero = true },
    { "rebalance", "duration", "from a member's going until its partitions are read, about: the "
        .. "session by what people see of it; in place of `session`", above_zero = true },
    { "max_poll_interval", "duration", "a member that has not asked for records for so long "
        .. "leaves; default 5m", above_zero = true },
    { "protocol", "choice", "in a rebalance all stop, or only what moves; default eager",
        choices = { "eager", "cooperative" } },
    { "static", "bool", "each member has a name (group.instance.id): one that is back within its "
        .. "session has what it had, and nobody rebalances; default false" },
    { "assignment", "choice", "which member reads what; default range, or sticky with cooperative",
        choices = { "range", "round_robin", "sticky" } },
    { "commit", "block", "when a position is kept", fields = {
        { "every", "duration", "a period; default 5s", above_zero = true },
        { "after", "choice", "a period, or each batch; default period",
            choices = { "period", "batch" } },
        { "delivery", "choice", "of what was worked on, or of what is about to be, before each "
            .. "batch; default at_least_once", choices = { "at_least_once", "at_most_once" } },
    } },
    { "transactions", "bool", "what a record's handler writes to topics and the batch's commit are "
        .. "one transaction; default false" },
    { "transaction_timeout", "duration", "one that is open for longer is aborted "
        .. "(transaction.timeout.ms); default 60s, at most 15m", above_zero = true },
    { "isolation", "choice", "whether records of transactions that are open or aborted are given "
        .. "(isolation.level); default read_uncommitted", choices = { "read_uncommitted",
            "read_committed" } },
    { "reset", "choice", "where a position is gone, go on at the newest or the oldest record; "
        .. "default latest", choices = { "latest", "earliest" } },
}

--- Of traffic to a topic.
M.producer = {
    { "acks", "choice", "to a topic: whose word is waited for; default all",
        choices = { "all", "leader", "none" } },
    { "idempotent", "bool", "to a topic: a retry is recognised and not written again; default true "
        .. "with acks all and retries" },
    { "linger", "duration", "to a topic: how long a batch waits for more records; default 0s" },
    { "batch_size", "size", "to a topic: a batch is full then; default 16KiB", above_zero = true },
    { "max_in_flight", "count", "to a topic: requests under way to a node; default 5", min = 1 },
    { "buffer", "size", "to a topic: what may wait to be sent; more is refused; default 32MiB",
        above_zero = true },
    { "transactional_id", "text", "to a topic: a request is a record to each of its topics or to "
        .. "none; whoever begins later with the same id fences it (transactional.id). One "
        .. "transaction at a time with at most 500 requests and 1 MiB, one batch to each "
        .. "partition; it is committed once that is decided, and the next one waits for its "
        .. "markers" },
    { "also_to", "refs:topic", "with a transactional_id: topics of the same broker that are "
        .. "written to beside `to`" },
    { "transaction_timeout", "duration", "with a transactional_id: one that is open for longer is "
        .. "aborted (transaction.timeout.ms); default 60s, at most 15m", above_zero = true },
    { "aborts", "ratio", "with a transactional_id: share of its transactions that the program "
        .. "aborts when it has written; default 0" },
}

--- What a producer with a transactional id has not: it writes what waits, all at once.
M.not_of_transactional = { "idempotent", "linger", "batch_size", "max_in_flight", "retries",
    "backoff" }

--- What traffic to a topic has not.
M.not_of_producers = { "op", "balance", "breaker", "throttle", "hedge", "retry_budget", "retry_on",
    "pool", "health", "cancel", "fresh", "priority", "response_size", "tcp", "choices",
    "replacement", "weights", "virtual_nodes", "load_bound", "table_size", "zone_aware",
    "overprovisioning", "panic", "subset", "slow_start", "outliers" }

return M
