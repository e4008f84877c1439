-- Patroni's lease in etcd, by messages: who notices what, and when. ttl 30 s, loop_wait and
-- retry_timeout 10 s (dynamic_configuration.rst): after a death the key runs out in 20 to 30 s; a
-- leader that is cut off steps down within loop_wait + retry_timeout, before the others may lead;
-- a new leader of etcd gives every lease its full time again (lessor.Promote).
local what = param("what", { "dies", "cut off", "etcd's leader dies too", "switchover",
    "etcd is slow" })
scenario "A lease is kept by messages" { duration = "3m", warmup = "5s" }

local etcd = consensus "etcd" { nodes = 3 }
local db = database "orders" {
  nodes = 3, replication = "sync", failover = { store = etcd, promote = "1s" },
}
local users = traffic "users" { to = db, op = "write order", rate = "20/s", timeout = "2s" }

local begins, ends = "60s", "120s"
if what == "dies" or what == "etcd's leader dies too" then
  fault.kill { db.primary, at = begins, lasting = "60s" }
end
if what == "etcd's leader dies too" then
  -- Ten seconds later: whatever was left of the lease begins anew.
  fault.kill { etcd.leader, at = "70s", lasting = "60s" }
elseif what == "cut off" then
  for n = 1, 3 do fault.partition { db.node[1], etcd.node[n], at = begins, lasting = "60s" } end
elseif what == "switchover" then
  drive("person", function()
    sleep(begins)
    assert(db:failover { to = db.node[3] })
  end)
elseif what == "etcd is slow" then
  for n = 1, 3 do fault.latency { etcd.node[n], add = "100ms", at = begins, lasting = "60s" } end
end

local within = { ["dies"] = { "20s", "32s" }, ["cut off"] = { "20s", "42s" },
  ["etcd's leader dies too"] = { "38s", "46s" }, switchover = { "0s", "3s" } }
expect "there are never two" { always = db.primaries:at_most(1) }
expect "nothing acknowledged is lost" { at_end = db.lost_acks:equals(0) }
if within[what] then
  local first, last = table.unpack(within[what])
  expect "another leads in its time" {
    eventually = db.failovers:at_least(1), after = begins, within = last,
  }
  if first ~= "0s" then
    expect "and not before" {
      always = db.failovers:equals(0), during = { after = begins, lasting = first },
    }
  end
  expect "and one only" { at_end = db.failovers:equals(1) }
end
if what == "cut off" then
  expect "the old one has stepped down before" {
    eventually = users.success.ratio:below "99%", after = begins, within = "22s",
  }
elseif what == "etcd is slow" then
  expect "nobody notices" { at_end = db.failovers:equals(0) }
  expect "and the primary leads on" { always = users.success.ratio:above "99%" }
end
