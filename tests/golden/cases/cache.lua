scenario "What a cache answers" { duration = "10s" }

local redis = cache "redis" { entries = 3, nodes = 2 }

-- operation, key, value it carries, ttl; then what it must answer: ok, status, value
local SAID = {
  { "get", "a", nil, nil, false, 404 },
  { "set", "a", "first", nil, true, 200, "first" },
  { "get", "a", nil, nil, true, 200, "first" },
  { "setnx", "a", "second", nil, false, 409, "first" },
  { "setnx", "lock", "mine", "2s", true, 200, "mine" },
  { "del", "lock", "yours", nil, false, 409, "mine" },
  { "del", "lock", "mine", nil, true, 200 },
  { "del", "lock", "mine", nil, false, 404 },
  { "incr", "n", nil, nil, true, 200, 1 },
  { "incr", "n", 41, nil, true, 200, 42 },
  { "decr", "n", 2, nil, true, 200, 40 },
  { "incr", "a", nil, nil, false, 400 },
  { "set", "short", true, "1s", true, 200, true },
  { "exists", "short", nil, nil, true, 200 },
  { "expire", "short", nil, "3s", true, 200, true },
  { "expire", "long", nil, "3s", false, 404 },
  "2s",
  { "get", "short", nil, nil, true, 200, true },
  { "set", "b", 1, nil, true, 200, 1 },
  { "get", "n", nil, nil, false, 404 }, -- was used least lately
  "2s",
  { "get", "short", nil, nil, false, 404 },
}

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      for i, s in ipairs(SAID) do
        if type(s) == "string" then
          req:sleep(s)
        else
          local r = req:call { redis, s[1], key = s[2], value = s[3], ttl = s[4] }
          if r.ok ~= s[5] or r.status ~= s[6] or r.value ~= s[7] then
            log("%d: %s %s: %s %d %s", i, s[1], s[2], r.ok, r.status, r.value)
            return 500
          end
        end
      end
      return 200
    end,
  },
}

traffic "user" { to = web, rate = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } },
  arrivals = "constant", timeout = "9s" }

expect "it answers as it should" { at_end = web.errors.ratio:equals "0%" }
expect "one was pushed out" { at_end = redis.evictions:equals(1) }
expect "one ran out" { at_end = redis.expired:equals(1) }
expect "what is not there is no error" { at_end = redis.errors.ratio:equals "0%" }
expect "the replica has it all" { at_end = redis.lag.records:equals(0) }
expect "five of nine lookups found something" { at_end = redis.hit_ratio:between("44%", "56%") }
