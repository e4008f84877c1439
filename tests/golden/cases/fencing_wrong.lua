-- Where a token has no meaning, and what is none; and that a lock's own is what it says to be.
scenario "A token is shown with a write" { duration = "4s" }

local etcd = consensus "etcd" { nodes = 3 }
local db = database "db" {}
local sql = database "sql" { schema = "create table t(id integer primary key, v)" }
local redis = cache "redis" { entries = 10 }
local files = store "files" {}
local carts = store "carts" { kind = "key_value" }

local NONE = "`token` is what a lock's grant answered, `r.token`: a whole number from 1 on, got "
local WRONG = {
  { { db, "write", token = 0 }, NONE .. "0" },
  { { db, "write", token = "12" }, NONE .. '"12"' },
  { { redis, "set", token = 1.5 }, NONE .. "1.5" },
  { { redis, "set", token = 1 << 60 }, NONE .. "1152921504606846976" },
  { { files, "put", token = "three" }, NONE .. '"three"' },
  { { db, "select", token = 3 }, "`token` is of a write to one key, and select is none" },
  { { redis, "get", token = 3 }, "`token` is of a write to one key, and get is none" },
  { { files, "get", token = 3 }, "`token` is of a write to one key, and get is none" },
  { { redis, "mset", keys = { 1, 2 }, values = { 1, 2 }, token = 3 },
    "`token` is of a write to one key: write without `keys`" },
  { { carts, "transact_write", token = 3, actions = { { "put", key = 1, value = 1 } } },
    "`token` of transact_write is a text, got 3" },
  { { sql, "update t set v = 1", token = 3 },
    "`token` is of rows: with SQL a statement checks it itself, such as update ... where token <= ?" },
  { { etcd, "put", token = 3 },
    "`token` is of writes to a database, a cache or a store, and etcd is a consensus" },
  { { db, "write", key = 1.5, token = 3 }, "`key`: a key is a text or an integer, got 1.5" },
  { { db, "write", match = 1 }, "`match`, `version` and `actions` are of calls to a store" },
}

local function look_at_mistakes(req)
  for i, one in ipairs(WRONG) do
    local ok, why = pcall(req.call, req, one[1])
    if ok then error(("mistake %d is none"):format(i)) end
    if not why:find("req:call: " .. one[2], 1, true) then error(i .. ": " .. why) end
  end
end

local looked = 0 -- each time it writes to keys of its own

local function look_at_locks(req, lock_of, free)
  local lock = lock_of()
  looked = looked + 2
  local function write(key, token)
    return req:call { db, "write", key = looked + key, token = token }
  end
  assert(math.type(lock.token) == "integer" and lock.token > 0)
  assert(write(1).token == nil and req:call { etcd, "put", key = 2 }.token == nil)
  assert(write(1, lock.token).ok and write(1, lock.token).ok, "it may write again")
  assert(write(2, lock.token - 1).ok, "another key was shown nothing")
  local refused = write(1, lock.token - 1)
  assert(not refused.ok and refused.status == 412 and refused.value == lock.token)
  assert(write(1).ok, "a write without a token is nobody's")
  free()
  assert(lock_of().token > lock.token, "tokens grow from grant to grant")
end

local app = service "app" { handle = {
  ["GET /"] = function(req)
    local function acquire() return req:call { etcd, "acquire", key = 1 } end
    local function release() req:call { etcd, "release", key = 1 } end
    local function setnx() return req:call { redis, "setnx", key = 3, value = 1, ttl = "10ms" } end
    local function run_out() req:sleep "20ms" end
    look_at_mistakes(req)
    req:call { redis, "set", key = 4 } -- so that there is a number below the first token
    look_at_locks(req, setnx, run_out)
    assert(setnx().token == nil, "it is taken")
    look_at_locks(req, acquire, release)
    assert(acquire().token == acquire().token, "who has it already has its token")
    return 200
  end,
} }
local users = traffic "users" { to = app, op = "GET /", arrivals = "constant", rate = "1/s" }
expect "all is as it should be" { at_end = users.success.ratio:equals "100%" }
