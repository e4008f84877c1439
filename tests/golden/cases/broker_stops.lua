-- Members that are told to end commit what they have worked on and leave, whatever they are at: nobody
-- works on it again, and nobody waits for their sessions to run out.
scenario "graceful stops" { duration = "60s" }

local far = region "far" { zones = { "a", "b" }, latency = "150ms" }
local kafka = broker "kafka" { nodes = 1, on = far.zone.a }
local orders = topic "orders" { on = kafka, partitions = 6 }
traffic "shop" { to = orders, rate = "50/s" }

local function group(name, options, ...)
    local fields = { of = orders, members = 2, session = "20s", on = far.zone.b }
    for field, value in pairs(options) do fields[field] = value end
    local readers = consumers(name)(fields)
    for i, at in ipairs { ... } do -- the second first
        fault.stop { readers.member[3 - i], at = at, lasting = "25s" }
    end
    expect(name .. " does nothing twice") { at_end = readers.duplicates:equals(0) }
    expect(name .. " loses nothing") { at_end = readers.lost:equals(0) }
    if select("#", ...) == 1 or name == "one_by_one" then
        expect(name .. " does not wait for a session") { always = readers.lag.records:below(250) }
    end
end

-- Its latest commit is seconds old.
group("idle", {}, "22500ms")
group("one_by_one", {}, "20s", "50s")
group("cooperative", { protocol = "cooperative" }, "22500ms")
-- At different moments of a commit that is waited for.
for i = 1, 7 do
    local at = 22450 + 50 * i
    group("batch" .. i, { commit = { after = "batch" } }, at .. "ms")
    group("ahead" .. i, { commit = { delivery = "at_most_once" } }, at .. "ms")
end
-- The other joins, waits for what it is assigned, or loads, and knows no position.
for i = 1, 5 do
    group("loading" .. i, { commit = { after = "batch" } }, "20s", 20200 + 300 * i .. "ms")
end

-- After a failure it rests, and leaves all the same.
local bad = topic "bad" { on = kafka, partitions = 2 }
traffic "spoiler" { to = bad, rate = "5/s" }
local tired = consumers "tired" { of = bad, members = 2, session = "20s", on = far.zone.b }
fault.poison_message { bad, at = "10s", lasting = "1s" }
fault.stop { tired.member[1], at = "13s", lasting = "15s" }
expect "tired rebalances at once" {
    eventually = tired.rebalances:at_least(1), after = "13s", within = "3s",
}
