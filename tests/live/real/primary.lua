-- Two Redis, of which the second is promoted once the first is gone; then the primary is hit again.
scenario "Whoever leads is hit" { duration = "12s" }

local redis = { "redis-server", "--port", "{{port}}", "--bind", "127.0.0.1", "--save", "",
                "--dir", "{{dir}}" }
local function node(more)
  local run = {}
  for _, list in ipairs { redis, more } do
    for _, word in ipairs(list) do run[#run + 1] = word end
  end
  return {
    run        = run,
    ready      = { command = { "redis-cli", "-p", "{{port}}", "ping" }, contains = "PONG" },
    is_primary = { command = { "redis-cli", "-p", "{{port}}", "role" }, contains = "master" },
  }
end

local one = process "redis-1" (node {})
local two = process "redis-2" (node { "--replicaof", "127.0.0.1", "{{redis-1.direct_port}}" })
process "keeper" {
  connects = { one, two }, ready = { command = { "true" } },
  run = { "sh", "-c", "while redis-cli -p {{redis-1.direct_port}} ping; do sleep 0.2; done; "
    .. "redis-cli -p {{redis-2.direct_port}} replicaof no one; exec sleep 600" },
}

local sessions = cache "sessions" { nodes = 2, entries = 1000, live = { one, two } }
probe "there" { of = one, tcp = true, every = "200ms" }

fault.kill { sessions.primary, at = "2s" }
fault.kill { sessions.primary, at = "9s" }

expect "the first was hit" { sometimes = one.up:equals(0) }
expect "and then the other" { at_end = two.up:equals(0) }
