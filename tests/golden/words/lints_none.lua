-- The same shapes where they are right: no lint says anything.
scenario "No lints" { duration = "5m", warmup = "1m" }
local handled = service "handled" {}
local shard = { service "shard-1" {}, service "shard-2" {} }
local total = 0
local function pick(n) return shard[n % 2 + 1] end
local web = service "web" {
  handle = {
    ["GET /a"] = function(req)
      local row = req:call { handled, "get" }
      total = total + 1
      local state = { count = total, left = row.value }
      state.count, state["left"] = 1, 2
      if not req:call({ pick(total), "get" }).ok then return 503 end
      return 200
    end,
  },
}
traffic "users" { to = web, rate = "10/s" }
local stall = fault.pause { web, at = "3m", lasting = "30s" }
drive("operator", function()
  for i, name in ipairs { "a", "b" } do
    local text <const> = name .. i
    mark(text)
  end
  while total < 0 do total = 0 end
end)
expect "windows" { always = web.errors.ratio:below "1%", except = { after = stall, lasting = "1m" } }
expect "late" { eventually = web.errors.ratio:below "1%", after = stall, within = "1m",
  holding = "1m" }
expect "marked" { eventually = happened "a1", within = "1m" }
