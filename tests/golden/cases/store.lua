scenario "What stores answer" { duration = "30s" }

local bucket = store "bucket" { kind = "object" }
local items = store "items" { kind = "key_value", consistency = "strong" }

local SAID = {
  { bucket, "get", "a", nil, false, 404 },
  { bucket, "put", "a", "one", true, 200, "one" },
  { bucket, "get", "a", nil, true, 200, "one" },
  { bucket, "head", "a", nil, true, 200 },
  { bucket, "put_if_absent", "a", "two", false, 412, "one" },
  { bucket, "list", "a", nil, true, 200, 1 },
  { bucket, "delete", "a", nil, true, 200 },
  { bucket, "delete", "a", nil, false, 404 },
  { items, "put_if_absent", "n", 7, true, 200, 7 },
  { items, "put_if_absent", "n", 8, false, 400, 7 },
  { items, "increment", "n", 3, true, 200, 10 },
  { items, "get", "n", nil, true, 200, 10 },
  { items, "delete", "n", 9, false, 400, 10 },
  { items, "delete", "n", 10, true, 200 },
  { items, "get", "n", nil, false, 404 },
  { items, "increment", "n", nil, true, 200, 1 },
}

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      for i, s in ipairs(SAID) do
        local r = req:call { s[1], s[2], key = s[3], value = s[4] }
        if r.ok ~= s[5] or r.status ~= s[6] or r.value ~= s[7] then
          log("%d: %s %s: %s %d %s", i, s[2], s[3], r.ok, r.status, r.value)
          return 500
        end
      end
      return 200
    end,
    -- 100 MiB in 13 parts, ten at once: two rounds of 40 ms and 8 MiB at 85 MB/s, and the last word.
    ["PUT /film"] = function(req)
      local r = req:call { bucket, "put", key = "film", value_size = "100MiB" }
      return r.ok and 200 or 500
    end,
  },
}

local once = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } }
traffic "user" { to = web, op = "GET /", rate = once, arrivals = "constant", timeout = "9s" }
local films = traffic "films" { to = web, op = "PUT /film", rate = once, arrivals = "constant",
  beside = true, timeout = "9s" }

expect "they answer as they should" { at_end = web.errors.ratio:equals "0%" }
expect "a no is no error" { at_end = items.errors.ratio:equals "0%" }
expect "there is one item in each" { at_end = items.items:equals(1) }
expect "parts go side by side" { at_end = films.latency.max:between("310ms", "330ms") }
expect "what was uploaded is there" { at_end = bucket.size:at_least "100MiB" }
