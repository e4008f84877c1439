-- Nodes of a broker are killed and cut off at random, two at most at a time, while records are
-- written; at the end all are back. What follows must hold whatever the seed.
local M = {}

--- The system: three copies over three nodes, and a producer. `topic_of` and `producer` are what
--- the tests vary.
function M.system(topic_of, producer)
  local eu = region "eu" { zones = { "a", "b", "c" } }
  local kafka = broker "kafka" {
    nodes = 3, spread = eu, election = "2s", replica_lag_time = "3s",
    disk_write = dist.lognormal { p50 = "1ms", p99 = "20ms" },
  }
  topic_of.on, topic_of.partitions, topic_of.replication = kafka, 4, 3
  local orders = topic "orders" (topic_of)
  producer.to, producer.rate, producer.timeout = orders, "200/s", "1s"
  producer.near = eu
  local shop = traffic "shop" (producer)
  local readers = consumers "readers" {
    of = orders, members = 2, work = "500us", session = "4s", commit = { every = "1s" },
  }
  return { eu = eu, kafka = kafka, orders = orders, shop = shop, readers = readers }
end

--- What goes wrong, until `rounds` times something did: a node ends, stands still, is cut off from
--- all, or from its peers alone, so that its clients go on with it. One that something is wrong
--- with is left alone until a while after.
function M.wreck(s, rounds)
  local time, free = 0, { 0, 0, 0 } -- in half seconds
  drive("monkey", function()
    for _ = 1, rounds do
      local gap, lasting = math.random(1, 12), math.random(2, 8)
      sleep(gap * 500 .. "ms")
      time = time + gap
      local n, what = math.random(1, 3), math.random(1, 4)
      local node, long = s.kafka.node[n], lasting .. "s"
      if time >= free[n] then
        free[n] = time + 2 * lasting + 4
        if what == 1 then fault.kill { node, lasting = long }
        elseif what == 2 then fault.pause { node, lasting = long }
        elseif what == 3 then fault.partition { node, lasting = long }
        else fault.partition { node, s.kafka, lasting = long } end
      end
    end
  end)
end

return M
