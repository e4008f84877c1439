scenario "What a cluster answers" { duration = "20s" }

local redis = cache "redis" { entries = 1000, nodes = 3, mode = "cluster" }

-- operation, key or keys, value or values; then what it must answer: ok, status, value or values
local SAID = {
  { "set", "foo", "a", true, 200, "a" },
  { "get", "foo", nil, true, 200, "a" },
  { "mset", { "{cart}.1", "{cart}.2" }, { 1, 2 }, true, 200 },
  { "mget", { "{cart}.2", "{cart}.3", "{cart}.1" }, nil, true, 200, { 2, nil, 1 } },
  { "mset", { "foo", "bar" }, { 1, 2 }, false, 400 }, -- two slots
  { "mget", { "foo", "bar" }, nil, false, 400 },
  { "mget", "foo", nil, true, 200, "a" },
  { "incr", "n", nil, true, 200, 1 },
}

local function is_equal(a, b)
  if type(b) ~= "table" then return a == b end
  return a[1] == b[1] and a[2] == b[2] and a[3] == b[3]
end

local turn = 0 -- counters come one at a time

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      for i, s in ipairs(SAID) do
        local is_many = type(s[2]) == "table"
        local r = req:call { redis, s[1], key = not is_many and s[2] or nil,
          value = not is_many and s[3] or nil, keys = is_many and s[2] or nil,
          values = is_many and s[3] or nil }
        if r.ok ~= s[4] or r.status ~= s[5] or not is_equal(r.values or r.value, s[6]) then
          log("%d: %s: %s %d %s", i, s[1], r.ok, r.status, r.value)
          return 500
        end
      end
      return 200
    end,
    -- One after another, in slot 0, while that goes: none is lost, none is found twice.
    ["GET /count"] = function(req)
      turn = turn + 1
      for i = 1, 300 do
        local r = req:call { redis, "incr", key = "{06S}" .. i }
        if r.value ~= turn then return 500 end
      end
      return 200
    end,
  },
}
traffic "user" { to = web, op = "GET /", arrivals = "constant", timeout = "9s",
  rate = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } } }
traffic "counters" { to = web, op = "GET /count", arrivals = "constant", timeout = "9s",
  rate = shape.steps { { "0s", "1/s" }, { "10.5s", "0/s" } } }

drive("operator", function()
  sleep "5s"
  log("foo is in slot %d", redis:slot "foo")
  assert(redis:slot "{06S}1" == 0)
  local ok, why = redis:reshard { slots = 5000, from = 1, to = 2, batch = 1 }
  assert(ok, why)
  ok, why = redis:reshard { slots = 1, from = 1, to = 2 }
  assert(not ok)
  log("%s", why)
  wait_until(redis.slots.moved:at_least(5000))
  mark "moved"
end)

expect "it answers as it should" { at_end = web.errors.ratio:equals "0%" }
expect "keys of two slots are refused" { at_end = redis.turned_away.cross_slot:equals(2) }
expect "5000 slots went" { at_end = redis.slots.moved:equals(5000) }
expect "callers were sent on" { at_end = redis.redirects.moved:above(0) }
expect "some in the middle of a move" { at_end = redis.redirects.ask:above(0) }
expect "a key is a slot of its own" { at_end = redis.entries:equals(304) }
expect "all slots are served, always" { always = redis.slots.covered:equals "100%" }
