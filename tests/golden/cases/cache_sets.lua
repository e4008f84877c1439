-- Each line as Redis answers it: redis.io/commands/sadd, smembers, get, mget, setnx.
scenario "What a cache's sets answer" { duration = "5s" }

local nodes = param("nodes", { 1, 2 })
local redis = cache "redis" { entries = 100, nodes = nodes }
local tags = cache "tags" { entries = 100, nodes = nodes }

-- operation, key, value it carries; then what it must answer: status, value
local SAID = {
  { "smembers", "s", nil, 200, "" },
  { "sadd", "s", "a", 200, 1 },
  { "sadd", "s", 7, 200, 1 },
  { "sadd", "s", "7", 200, 0 },
  { "sadd", "s", "a", 200, 0 },
  { "sadd", "s", "a,b", 400 },
  { "smembers", "s", nil, 200, "a,7" },
  { "smembers", "s", nil, 200, "a,7" },
  { "sadd", "s", "c", 200, 1 },
  { "smembers", "s", nil, 200, "a,7,c" },
  { "get", "s", nil, 400 },
  { "mget", "s", nil, 200 },
  { "exists", "s", nil, 200 },
  { "incr", "s", nil, 400 },
  { "setnx", "s", "x", 409 },
  { "expire", "s", nil, 200 },
  { "set", "n", 1, 200, 1 },
  { "sadd", "n", "a", 400 },
  { "smembers", "n", nil, 400 },
  { "set", "t", "a,b", 200, "a,b" },
  { "sadd", "t", "c", 400 },
  { "smembers", "t", nil, 400 },
  { "get", "t", nil, 200, "a,b" },
  { "del", "s", nil, 200 },
  { "smembers", "s", nil, 200, "" },
  { "sadd", "s", "c", 200, 1 },
  { "smembers", "s", nil, 200, "c" },
  { "set", "s", "text", 200, "text" },
  { "get", "s", nil, 200, "text" },
}

local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      for i, s in ipairs(SAID) do
        local r = req:call { redis, s[1], key = s[2], value = s[3] }
        if r.status ~= s[4] or r.value ~= s[5] then
          log("%d: %s %s: %d %s", i, s[1], s[2], r.status, r.value)
          return 500
        end
      end
      return 200
    end,
    ["POST /tag"] = function(req)
      req:call { tags, "smembers", key = req.key % 3 } -- the first of each is of none
      req:call { tags, "get", key = req.key % 3 }
      req:call { tags, "sadd", key = req.key % 3 }
      return 200
    end,
  },
}

traffic "user" { to = web, rate = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } },
  arrivals = "constant", timeout = "4s" }

traffic "taggers" { to = web, op = "POST /tag", rate = "10/s" }

expect "what was added is in the set" { set = tags }
expect "it answers as it should" { at_end = web.errors.ratio:equals "0%" }
expect "a wrong type is no error of the cache" { at_end = redis.errors.ratio:equals "0%" }
expect "the replica has it all" { at_end = redis.lag.records:equals(0) }
