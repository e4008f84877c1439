-- A majority of disks that lied and lost their power together takes what was acknowledged with it.
-- Fewer take nothing, since a majority has it, nor do honest ones; and of liars that one by one
-- lose theirs each is sent again what it lost, by the others.
local lying = param("lying", { 1, 2 })
local power = param("power", { "of all", "of one", "of each in turn", "of none" })

scenario "What a majority of liars acknowledged" { duration = "1m" }

local etcd = consensus "etcd" { nodes = 3 }
traffic "readers" { to = etcd, op = "get x", rate = "20/s", timeout = "500ms" }
traffic "users" { to = etcd, op = "put x", rate = "100/s", arrivals = "constant",
                  timeout = "500ms", keys = dist.zipf { n = 1000000, skew = 0 } }

for i = 1, lying do fault.fsync_lie { etcd.node[i], at = "20s", lasting = "40s" } end
for i = 1, 3 do
  local at = power == "of each in turn" and ("%ds"):format(20 + 5 * i) or "30s"
  local goes = power ~= "of none" and (i == 1 or power ~= "of one")
  -- The third is back when the others, if both lied, have led without it.
  if goes then fault.down { etcd.node[i], at = at, lasting = i == 3 and "4s" or "1s" } end
end

-- The ten seconds of lies, at 100/s.
local is_gone = lying == 2 and power == "of all"
expect "as much is gone as the caches had" {
  at_end = etcd.lost_acks:between(is_gone and 990 or -1, is_gone and 1010 or 0.5),
}
expect "nobody reads less than there is" { at_end = etcd.stale_reads:equals(0) }
