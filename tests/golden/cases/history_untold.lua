-- A counter that a handler reads, and writes one higher, is a register: nobody is told what was
-- added. An expectation about what is not there says so, and what to call instead.
local kind = param("kind", { "cache", "store", "nothing", "both" })
scenario "A counter by get and set" { duration = "10s", warmup = "1s" }

local shelf = kind == "store" and store "shelf" {} or cache "shelf" { entries = 100 }
local write = kind == "store" and "put" or "set"
local api = service "api" {
  handle = {
    ["GET /count"] = function(req) return 200, req:call { shelf, "get", key = 1 }.value or 0 end,
    ["POST /count"] = function(req)
      local n = req:call { shelf, "get", key = 1 }.value or 0
      req:call { shelf, write, key = 1, value = n + 1 }
      if kind == "both" then req:call { shelf, "incr", key = 1 } end
      return 200
    end,
    ["GET /health"] = function() return 200 end,
  },
}
traffic "readers" { to = api, op = kind == "nothing" and "GET /health" or "GET /count", rate = "10/s" }
if kind ~= "nothing" then traffic "writers" { to = api, op = "POST /count", rate = "2/s" } end

expect "it counts" { counter = shelf }
expect "it gives ids" { unique_ids = shelf }
if kind ~= "store" then expect "it holds sets" { set = shelf } end
