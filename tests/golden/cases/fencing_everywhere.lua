-- Each way to write to each kind of resource: a token that is lower than one it was shown for the
-- key is refused and writes nothing, one that is not is taken, and so it is of the next key.
scenario "Whatever is written can be fenced" { duration = "6s" }

local postgres = database "postgres" { nodes = 3, replication = "sync" }
local spanner = database "spanner" { nodes = 3, replication = "raft" }
local many = database "many" { nodes = 2, replication = "multi" }
local redis = cache "redis" { entries = 1000, nodes = 2 }
local shards = cache "shards" { entries = 1000, nodes = 3, mode = "cluster" }
local bucket = store "bucket" {}
local versions = store "versions" { versioning = "enabled" }
local items = store "items" { kind = "key_value" }
local dynamo = store "dynamo" { kind = "key_value", quorum = { n = 3, w = 2, r = 2 } }

local WAYS = {
  { postgres, "write" }, { postgres, "write", timeout = "1s", through = redis },
  { spanner, "write" }, { many, "write" },
  { redis, "set" }, { redis, "incr" }, { redis, "expire" }, { redis, "sadd" },
  { shards, "set" }, { shards, "decr" },
  { bucket, "put" }, { versions, "put" }, { items, "put" }, { items, "increment" },
  { dynamo, "put" }, { dynamo, "increment" },
  { redis, "del", again = "set" }, { bucket, "delete", again = "put" },
  { versions, "delete", again = "put" }, { dynamo, "delete", again = "put" },
}

local function ask(req, way, key, token, op)
  local body = { way[1], op or way[2], key = key, timeout = way.timeout, through = way.through,
    token = token }
  return req:call(body)
end

local served = 0 -- each request writes to keys of its own

local function look_at(req, i, way)
  local key, other = 1000 * served + 2 * i, 1000 * served + 2 * i + 1
  local what = tostring(way[1]) .. " " .. way[2]
  if way.again or way[2] == "expire" then
    assert(ask(req, way, key, 4, way.again or "set").ok, what)
  end
  local first = ask(req, way, key, 5)
  assert(first.ok and first.token == nil, what .. ": " .. first.status)
  local stale = ask(req, way, key, 4, way.again)
  assert(not stale.ok and stale.status == 412 and stale.value == 5, what .. " took an old one")
  assert(ask(req, way, key, 5, way.again).ok, what .. " refused its own")
  assert(ask(req, way, key, 9, way.again).ok, what .. " refused a newer one")
  assert(ask(req, way, key, 8, way.again).status == 412, what .. " forgot it")
  assert(ask(req, way, key, nil, way.again).ok, what .. " without a token")
  if way[2] ~= "expire" and not way.again then assert(ask(req, way, other, 1).ok, what) end
end

local app = service "app" { handle = {
  ["GET /"] = function(req)
    served = served + 1
    for i, way in ipairs(WAYS) do look_at(req, i, way) end
    return 200
  end,
} }
local users = traffic "users" { to = app, op = "GET /", rate = "1/s", arrivals = "constant",
  timeout = "20s" }
expect "all is as it should be" { at_end = users.success.ratio:equals "100%" }
expect "each was judged" { fenced = dynamo }
expect "and this" { fenced = versions }
expect "and what was refused is counted" { at_end = redis.stale_tokens:equals(50) }
