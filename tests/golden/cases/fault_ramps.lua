-- Kinds whose magnitude grows with `ramp`: half way it is half of it, and at the end all of it.
scenario "Faults that grow" { duration = "2m" }

local function fleet(name, fields)
  fields = fields or {}
  fields.service_time = "1ms"
  local s = service(name)(fields)
  return s, traffic(name .. "-users") { to = s, rate = "50/s", arrivals = "constant",
    beside = true, timeout = "10s" }
end

-- 100 ms more after 100 s: at 50 s half of it, at 105 s all.
local web, users = fleet "web"
local held = fault.http_delay { web, add = "100ms", at = "10s", lasting = "105s", ramp = "100s" }
expect "requests are held a little" {
  always = users.latency.p50:below "4ms", during = { after = held, lasting = "1s" } }
expect "half way half as long" { -- within two steps, and the millisecond of work
  always = users.latency.mean:between("49ms", "54ms"), during = { after = "60s", lasting = "1s" } }
expect "then as long as was said" {
  always = users.latency.mean:between("101ms", "102ms"), during = { after = "111s", lasting = "3s" } }
expect "and then not at all" {
  always = users.latency.p50:below "2ms", during = { after = "117s" } }

-- A disk of 1 ms that gets slower by up to 20 ms, and one that takes up to 11 times as long.
local function store(name)
  local db = database(name) { nodes = 1, disk = { latency = "1ms" }, query_time = "1us" }
  return db, traffic(name .. "-users") { to = db, op = "insert x", rate = "10/s",
    arrivals = "constant", beside = true, timeout = "10s" }
end
local added, adders = store "added"
fault.disk_latency { added, add = "20ms", at = "10s", lasting = "105s", ramp = "100s" }
expect "half of what is added" {
  always = adders.latency.mean:between("10.7ms", "11.7ms"),
  during = { after = "60s", lasting = "1s" } }
local times, timers = store "times"
fault.disk_latency { times, factor = 11, at = "10s", lasting = "105s", ramp = "100s" }
expect "half way between once and eleven times" {
  always = timers.latency.mean:between("5.8ms", "6.4ms"),
  during = { after = "60s", lasting = "1s" } }

-- 90 % of a limit of which 20 % are in use: too much when 8/9 of the way are gone, at 98.9 s.
local full = fleet("full", { memory = { limit = "100MiB", base = "20MiB" } })
fault.memory { full, fill = "90%", at = "10s", lasting = "105s", ramp = "100s" }
expect "there is room for long" { always = full.replicas.up:equals(1), during = { after = "0s", lasting = "98s" } }
expect "and then there is none" {
  sometimes = full.replicas.up:equals(0), during = { after = "98s", lasting = "3s" } }
