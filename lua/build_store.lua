--- A store's block (schema_store.lua), handed to C.
local M = {}

local OF = {
    key_value = { "partitions", "read_capacity", "write_capacity", "adaptive", "consistency",
        "quorum" },
    object = { "part_size", "parallel_parts", "stream_rate", "prefixes", "versioning",
        "lifecycle" },
}

--- Its options; `place` is where it is spread.
function M.create(C, c, place)
    local f = c.fields
    local kind = f.kind or "object"
    local other = kind == "object" and "key_value" or "object"
    for _, name in ipairs(OF[other]) do
        if f[name] ~= nil then
            return nil, ('`%s` is of kind = "%s", and this one keeps %s'):format(name, other,
                kind == "object" and "objects" or "items")
        end
    end
    local q, life, regions = f.quorum, f.lifecycle or {}, nil
    if f.regions then
        if place then return nil, "regions say where it is: leave `spread` and `on` out" end
        regions = {}
        for i, r in ipairs(f.regions) do regions[i] = r.id end
        if #regions > 7 then return nil, ("at most 7 regions, got %d"):format(#regions) end
    end
    c.keeps_versions = f.versioning ~= nil and f.versioning ~= "off"
    return C.store {
        name = c.name, line = c.row, is_object = kind == "object", nodes = f.nodes, spread = place,
        regions = regions, lag = f.lag, get_time = f.get_time, put_time = f.put_time,
        error_ratio = f.error_ratio, item_size = f.item_size, part_size = f.part_size,
        parallel_parts = f.parallel_parts, stream_rate = f.stream_rate, prefixes = f.prefixes,
        versioning = f.versioning, expiration = life.expiration, noncurrent = life.noncurrent,
        keep_noncurrent = life.keep_noncurrent, abort_uploads = life.abort_uploads,
        lifecycle_every = life.every,
        partitions = f.partitions, read_capacity = f.read_capacity,
        write_capacity = f.write_capacity, rigid = f.adaptive == false,
        strong = f.consistency == "strong", quorum = q ~= nil,
        n = q and (q.n or 3), w = q and (q.w or 2), r = q and (q.r or 1),
        sloppy = q and q.sloppy, no_hints = q and q.hinted_handoff == false,
        read_repair = q and q.read_repair, write = q and q.write, ack = q and q.ack,
        read = q and q.read, response = q and q.response,
    }
end

return M
