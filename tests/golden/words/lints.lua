-- What only the whole plan shows.
scenario "Lints" { duration = "5m", warmup = "1m" }
local db = database "db" { nodes = 2 }
local old = database "old" { nodes = 2 }
local lone = service "lone" {}
local handled = service "handled" {}
local web = service "web" {
  handle = {
    ["GET /a"] = function(req)
      local row = req:call { handled, "get" }
      count = row.value
      return 200
    end,
  },
}
traffic "users" { to = web, rate = "10/s" }
local stall = fault.pause { web, at = "4m", lasting = "30s" }
fault.kill { old.primary, at = "2m" }

drive("operator", function()
  local n, total = 0, 0
  for i = 1, 3 do n = n + i end
  local function again(k) total = total + k end
  again(n)
  if n > 2 then late = true elseif n > 1 then n = 0 else n, left = 1, 2 end
  repeat local done = n > 0 until done
end)

expect "windows" { always = web.errors.ratio:below "1%", except = { after = "0s" } }
expect "two windows" { always = web.errors.ratio:below "1%",
  except = { { after = "3m" }, { after = "30s", lasting = "150s" } } }
expect "during" { always = web.errors.ratio:below "1%", during = { after = "0s", lasting = "1m" } }
expect "late" { eventually = web.errors.ratio:below "1%", after = stall, within = "2m" }
expect "held" { eventually = web.errors.ratio:below "1%", after = stall.ends, within = "20s",
  holding = "20s" }
expect "lone" { never = lone.errors.ratio:above "1%" }
expect "db" { always = db.lost_acks:equals(0) }
expect "a fault influences this" { sometimes = old.failovers:at_least(1) }
expect "marks" { eventually = happened "rolled back", within = "1m" }
slo "lone too" { of = lone, objective = "99%" }
