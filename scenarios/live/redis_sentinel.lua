-- A primary of Redis dies, and three sentinels agree on its replica: how long is nothing written?
-- The simulated sentinels follow Redis' own state machine, so both worlds should say the same.
scenario "Sessions are written again once sentinels have agreed" {
  about    = "Kill the primary of a Redis with one replica and three sentinels.",
  tags     = { "live", "redis", "failover" },
  duration = "20s",
  warmup   = "3s",
}

local down_after = "4s"

local function redis(extra)
  local argv = { "redis-server", "--port", "{{port}}", "--bind", "127.0.0.1", "--dir", "{{dir}}",
    "--save", "", "--appendonly", "no" }
  for _, word in ipairs(extra) do argv[#argv + 1] = word end
  return argv
end

local answers = { command = { "redis-cli", "-p", "{{port}}", "ping" }, contains = "PONG" }

local redis_1 = process "redis-1" { run = redis {}, ready = answers }
local redis_2 = process "redis-2" {
  connects = redis_1, ready = answers,
  run = redis { "--replicaof", "127.0.0.1", "{{redis-1.direct_port}}" },
}

local live = { redis_1, redis_2 }
for i = 1, 3 do
  live[#live + 1] = process("sentinel-" .. i) {
    connects = redis_2, -- starts after it
    run      = { "redis-server", "{{dir}}/sentinel.conf", "--sentinel" },
    ready    = { command = { "redis-cli", "-p", "{{port}}", "sentinel", "ckquorum", "shop" },
                 contains = "OK 3 usable" },
    files    = { ["sentinel.conf"] = [[
      port {{port}}
      bind 127.0.0.1
      dir {{dir}}
      sentinel monitor shop 127.0.0.1 {{redis-1.direct_port}} 2
      sentinel down-after-milliseconds shop 4000
      sentinel failover-timeout shop 20000
      sentinel parallel-syncs shop 1
    ]] },
  }
end

local sessions = cache "sessions" {
  mode = "sentinel", nodes = 2, entries = 100000,
  sentinel = { count = 3, quorum = 2, down_after = down_after, failover_timeout = "20s" },
  live = live,
}

-- Each write asks a sentinel who leads, as clients that know of sentinels do.
local users = traffic "users" {
  to = sessions, op = "set", rate = "10/s", arrivals = "constant", timeout = "500ms", beside = true,
  live = { command = { "sh", "-c", [[
    at=$(redis-cli -p {{sentinel-1.direct_port}} sentinel get-master-addr-by-name shop | tail -n 1)
    redis-cli -e -p "$at" set session:1 "$(date +%N)"
  ]] } },
}

local outage = fault.kill { sessions.primary, at = "5s" }

expect "sessions are written again within 8 s" {
  eventually = users.errors.ratio:below "1%",
  after = outage, within = "8s", holding = "3s",
}

expect "nobody could write for a while" {
  sometimes = users.errors.ratio:above "90%",
}
