-- Acts that are said wrongly name the line of the script that says them, also from a helper.
local which = param("which", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 })
scenario "Acts are said wrongly" { duration = "3s" }
local etcd = consensus "etcd" { nodes = 5, members = 3 }
local db = database "db" { nodes = 2, backup = { full = "1h" } }
local cache = cache "redis" { mode = "cluster", nodes = 3, entries = 1000 }
local files = store "files" { kind = "object" }
local web = service "web" { version = "v1", versions = { v1 = {}, v2 = {} } }
local grown = service "grown" { autoscale = { max = 4, by_hand = true } }
traffic "users" { to = web, rate = "1/s" }

local function helper()
  local say = ({
    function() etcd:member_add { node = 4 } end,
    function() etcd:snapshot_restore(5) end,
    function() etcd:move_leader { node = etcd.node[1] } end,
    function() db:failover { to = etcd.node[1] } end,
    function() db:restore { at = 5 } end,
    function() db:restore { when = "5s" } end,
    function() cache:reshard { slots = 1, from = 1, to = 2, timeout = 5 } end,
    function() cache:reshard { slots = 0, from = 1, to = 2 } end,
    function() files:versioning "on" end,
    function() web:route { v3 = "5%" } end,
    function() web:scale(2) end,
    function() grown:scale(9) end,
    function() grown:scale "2" end,
    function() log("%s", web.latency:value()) end,
    function() wait_until(web.replicas.up) end,
    function() cache:fix { slot = 1 } end,
  })[which]
  say()
  return true
end

drive("operator", function()
  sleep "1s"
  local done = helper()
  log("%s", done)
end)
