--- What a cache says of itself, and what a call to one does. Rows as in schema.lua; the words are
--- Redis'.
local M = {}

M.cache = {
    { "nodes", "count", "all of them: one leads, or with mode = \"cluster\" one of each shard, and "
        .. "the others copy it; default 1", min = 1, max = 64 },
    { "mode", "choice", "who leads: the first whatever happens, whom sentinels agree on, or one "
        .. "for each shard of the keys; default single",
        choices = { "single", "sentinel", "cluster" } },
    { "cluster", "block", "with that mode: 16384 slots over shards, by Redis Cluster's names",
        fields = {
            { "replicas", "count", "of each primary; default 0", max = 20 },
            { "node_timeout", "duration", "silence after which a node is suspected; default 15s",
                above_zero = true },
            { "require_full_coverage", "bool", "nothing is served while a slot has no primary; "
                .. "default true" },
            { "allow_reads_when_down", "bool", "reads are served even then; default false" },
            { "replica_validity_factor", "count", "a replica that has not heard of its primary for "
                .. "so many node_timeout and 10s more is not promoted; 0 any is; default 10" },
            { "migration_barrier", "count", "replicas that a primary keeps when one of its goes to "
                .. "a primary that has none left; default 1", max = 20 },
            { "allow_replica_migration", "bool", "replicas go where there are none; default true" },
            { "redirects", "count", "MOVED and ASK that a call follows; default 5", min = 1,
                max = 15 },
        } },
    { "sentinel", "block", "with that mode: those that watch, by Redis' names", fields = {
        { "count", "count", "of sentinels, each on a host of its own; default 3", min = 1,
            max = 15 },
        { "quorum", "count", "that must see the primary down; default a majority", min = 1 },
        { "down_after", "duration", "silence that makes it down; default 30s", above_zero = true },
        { "failover_timeout", "duration", "of a failover; twice as long until the next is tried; "
            .. "default 180s", above_zero = true },
        { "parallel_syncs", "count", "replicas that turn to a new primary at once; default 1",
            min = 1 },
    } },
    { "entries", "count", "how many each node holds", required = true, min = 1, max = 50000000,
        unless = { { "max_memory" } } },
    { "max_memory", "size", "what its entries may take at each node; default any",
        above_zero = true },
    { "value_size", "size", "of an entry that does not say otherwise; default 1KiB",
        above_zero = true },
    { "ttl", "duration", "how long an entry is good that does not say otherwise; default until it "
        .. "is evicted", above_zero = true },
    { "get_time", "dist", "of one operation; default 200us" },
    { "eviction", "choice", "what goes when it is full: any key, or one that has a time to live "
        .. "(volatile-), without which nothing is taken (507); default lru",
        choices = { "lru", "lfu", "fifo", "random", "volatile-lru", "volatile-lfu",
            "volatile-random", "volatile-ttl", "noeviction" } },
    { "samples", "count", "of lru, lfu and ttl, as Redis does it: so many are drawn, and the best "
        .. "of them goes; default it is exact, of volatile- 5", min = 1, max = 64 },
    { "cpu", "number", "cores per node; default as many as connections, so that nothing contends" },
    { "max_connections", "count", "of all nodes together, above which callers are refused; default "
        .. "10000", min = 1 },
    { "reads", "choice", "where reads go; default primary", choices = { "primary", "replicas" } },
    { "min_replicas_to_write", "count", "replicas that must have been heard for a write to be "
        .. "taken; default 0", max = 63 },
    { "min_replicas_max_lag", "duration", "how lately; default 10s", above_zero = true },
    { "persistence", "block", "what outlives a node's process: files on its `disk`, by Redis' "
        .. "names; default nothing", fields = {
        { "appendonly", "bool", "every change is appended to a file (AOF), which is what a start "
            .. "reads; default false" },
        { "appendfsync", "choice", "when that is flushed: before an answer, once a second, or by "
            .. "the kernel after 30s; default everysec", choices = { "always", "everysec", "no" } },
        { "save", "duration", "a snapshot (RDB) once so long has passed since the last, and "
            .. "`save_changes` keys have changed; default none", above_zero = true },
        { "save_changes", "count", "with save; default 1", min = 1 },
        { "save_rate", "bandwidth", "at which a snapshot is written; default 150MB/s" },
        { "load_rate", "bandwidth", "at which a start reads the files, and answers 503 (LOADING) "
            .. "meanwhile; default 200MB/s" },
    } },
    { "checks_tokens", "bool", "whether a write whose `token` is lower than one it was shown for "
        .. "the key is refused; default true" },
}

--- Of a call to a cache.
M.call = {
    { "keys", "any", "to a cache, with mget and mset: which, a list; in handlers" },
    { "values", "any", "with mset: of each of them, a list; in handlers" },
    { "ttl", "duration", "to a cache: how long what is set is good; default as the cache says",
        above_zero = true },
    { "beta", "number", "within `through`: how early a value is made anew (XFetch); 1 is "
        .. "usual; default it is left to run out" },
    { "through", "through", "a cache that is asked first, or a call to one: what is missing there "
        .. "is fetched and set; a write removes its key from it" },
    { "value_size", "size", "to a cache or a store: of what is set; default as it says",
        above_zero = true },
}

return M
