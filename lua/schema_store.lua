--- What a store says of itself: objects as S3 keeps them, items as DynamoDB does. Rows as in
--- schema.lua.
local M = {}

local quorum = {
    { "n", "count", "copies of each item; default 3", min = 1, max = 7 },
    { "w", "count", "that confirm a write; default 2", min = 1, max = 7 },
    { "r", "count", "that answer a read; default 1", min = 1, max = 7 },
    { "sloppy", "bool", "another node confirms in place of one that is away; default false" },
    { "hinted_handoff", "bool", "what a copy misses is held for it; default true" },
    { "read_repair", "bool", "a read sends the newest to copies that are behind; default false" },
    { "write", "dist", "of a write to a copy (W); default as the network takes" },
    { "ack", "dist", "of its confirmation (A); default as the network takes" },
    { "read", "dist", "of a question to a copy (R); default as the network takes" },
    { "response", "dist", "of its answer (S); default as the network takes" },
}

local lifecycle = {
    { "expiration", "duration", "so long after it was written an object goes; with versions a "
        .. "delete marker comes; default never", above_zero = true },
    { "noncurrent", "duration", "so long after a newer one came a version goes; default never",
        above_zero = true },
    { "keep_noncurrent", "count", "newest of these that stay; default 0", max = 100 },
    { "abort_uploads", "duration", "so long after it began what was left of an upload goes; "
        .. "default never", above_zero = true },
    { "every", "duration", "when what is due goes; default 24h, at midnight", above_zero = true },
}

M.store = {
    { "kind", "choice", "what it keeps; default object", choices = { "object", "key_value" } },
    { "nodes", "count", "its doors, in each region; default 3", min = 1, max = 256 },
    { "regions", "refs:region|cloud", "a copy in each, written and read alone; default one where "
        .. "it is spread" },
    { "lag", "dist", "until another region has heard of a write; default 1s" },
    { "get_time", "dist", "of one read; default 20ms, of items 3ms" },
    { "put_time", "dist", "of one write; default 40ms, of items 5ms" },
    { "error_ratio", "ratio", "share of its answers that are errors by themselves; default 0" },
    { "item_size", "size", "of what does not say otherwise; default 1KiB", above_zero = true },
    { "part_size", "size", "of objects: larger ones are uploaded in such parts; default 8MiB",
        above_zero = true },
    { "parallel_parts", "count", "of objects: parts under way at once; default 10", min = 1 },
    { "stream_rate", "bandwidth", "of objects: of one request; default 85MB/s", above_zero = true },
    { "prefixes", "count", "of objects: 3500 writes and 5500 reads per second each; default 1",
        min = 1, max = 1000000 },
    { "versioning", "choice", "of objects: whether older versions are kept, in a bucket of "
        .. "one region; default off",
        choices = { "off", "enabled", "suspended" } },
    { "lifecycle", "block", "of objects: what goes with time; default nothing",
        fields = lifecycle },
    { "partitions", "count", "of items: 1000 write and 3000 read units per second each; default as "
        .. "many as the capacity needs, on demand 4", min = 1, max = 1000000 },
    { "read_capacity", "number", "of items: units per second; default on demand" },
    { "write_capacity", "number", "of items: units per second; default on demand" },
    { "adaptive", "bool", "of items: a partition may use all that the table has; default true" },
    { "consistency", "choice", "of items: what a read may miss; default eventual",
        choices = { "strong", "eventual" } },
    { "quorum", "block", "of items: copies as Dynamo has them", fields = quorum },
    { "checks_tokens", "bool", "whether a write whose `token` is lower than one it was shown for "
        .. "the key is refused; default true" },
}

M.call = {
    { "consistent", "bool", "to a store: a read that misses nothing; default as the store says" },
    { "match", "any", "to a store, with put_if_match: what must be there; in handlers" },
    { "version", "any", "to a store: the id of an object's version, or \"null\"; in handlers" },
    { "actions", "any", "to a store, with transact_write: what is done to each item, such as "
        .. '{ { "put", key = "a", value = 1 } }; in handlers' },
    { "token", "any", "with a write to a database, a cache or a store: what the grant of a lock "
        .. "answered; one that is lower than the highest shown for the key is refused (412). With "
        .. "transact_write a text: who shows it again within 10m repeats nothing; default one of "
        .. "the call's own; in handlers" },
}

return M
