-- Shopping carts that two sites take writes for, after Amazon's Dynamo (DeCandia et al., "Dynamo:
-- Amazon's highly available key-value store", SOSP 2007, section 4.4): an "add to cart" must never
-- be forgotten, so versions that have not seen each other are merged by the application, not by
-- who was last. With the last writer winning and a lag L, a share 1 - exp(-rate L) of the writes of
-- a row is lost; during a partition all that the losing side wrote.
local rule = param("rule", { "last_writer_wins", "first_writer_wins", "merged" })

--- Both carts in one: each item once, in order.
local function merged(here, there)
  local items, list = {}, {}
  for _, cart in ipairs { here.value, there.value } do
    for item in cart:gmatch "%S+" do items[item] = true end
  end
  for item in pairs(items) do list[#list + 1] = item end
  table.sort(list)
  return table.concat(list, " ")
end

scenario "Carts at two sites" {
  about = "Dynamo's shopping cart: what is lost when two sites write, by the rule for conflicts.",
  tags = { "db", "multi-master" },
  duration = "4m",
  xfail = { rule = { "last_writer_wins", "first_writer_wins" } },
}

local both = region "both" { zones = { "dublin", "oregon" }, latency = "70ms" }
local carts = database "carts" {
  nodes = 2, spread = both, replication = "multi", query_time = "2ms",
  conflict = rule == "merged" and merged or rule,
}
local adding = shape.steps { { "0s", "10/s" }, { "3m", "0/s" } }
for _, name in ipairs { "dublin", "oregon" } do
  local added = 0
  local shop = service("shop-" .. name) {
    on = both.zone[name],
    -- The row is locked from the read to the write: of two adds at one site none may overwrite the
    -- other. The other site would merge both, and keep what this one has lost.
    handle = { ["POST /cart"] = function(req)
      added = added + 1
      local item = name:sub(1, 1) .. added
      local put = req:transaction({ carts, timeout = "1s" }, function(tx)
        local cart = tx:lock(req.key)
        tx:write(req.key, cart and cart .. " " .. item or item)
      end)
      return put.ok and 200 or 503
    end },
  }
  traffic("users-" .. name) {
    to = shop, op = "POST /cart", rate = adding, timeout = "5s",
    keys = dist.zipf { n = 100, skew = 0.8 },
  }
end
local cut = fault.partition { both.zone.dublin, both.zone.oregon, at = "1m", lasting = "30s" }

expect "nobody is turned away, cut or not" { always = carts.errors.ratio:equals "0%" }
expect "carts differ while the sites are cut off" {
  sometimes = carts.diverged:at_least(20), during = { after = cut, lasting = "30s" },
}
expect "and are the same soon after writes end" { at_end = carts.diverged:equals(0) }
expect "nothing that was added is forgotten" { at_end = carts.lost_updates:equals(0) }
