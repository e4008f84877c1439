-- A request writes a record: it is appended, copied, polled and worked on by two groups, one of
-- which cannot work on every third. Traffic's own records are of no request.
scenario "What becomes of a record" { duration = "6s" }

local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, partitions = 2, replication = 3, min_isr = 2 }
local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      return req:call { orders, "produce", key = req.key, timeout = "1s" }.ok and 200 or 503
    end,
  },
}
local db = database "db" {}
consumers "billing" { of = orders, members = 2,
  handle = function(record)
    return record:call { db, "write", key = record.key, timeout = "1s" }.ok
  end }
consumers "mail" { of = orders, work = "2ms", on_error = "skip",
  handle = function(record) return record.offset % 3 > 0 end }
traffic "shop" { to = api, op = "POST /", rate = "10/s", arrivals = "constant" }
traffic "other" { to = orders, rate = "20/s" }

expect "orders are taken" { always = api.errors.ratio:below "1%" }
