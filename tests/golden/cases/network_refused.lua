-- What the model refuses of networks: each case is one of them.
local case = param("case", { "line", "burst", "itself", "link itself", "two pairs", "no rate",
  "nothing lost", "two losses", "slices", "port", "flap", "flood", "no data", "two resets", "at once",
  "pick", "nic", "window", "syn", "size", "early data", "quic" })

scenario "What a network refuses" { duration = "1m" }

local calls = ({ window = { tcp = { window = "1GiB" } }, syn = { tcp = { syn_retries = 500 } },
                 size = { size = "2000000GiB" } })[case] or {}
local served = ({ ["early data"] = { early_data = true },
                  quic = { transport = "quic", tls = "1.2" } })[case] or {}
local db = database "db" {}
local web = service "web" {
  calls = { call { db, "select x", tcp = calls.tcp, size = calls.size } },
  early_data = served.early_data, transport = served.transport, tls = served.tls,
}
local users = traffic "users" { to = web, rate = "10/s" }

local acts = {
  line = function() link { web, db, bandwidth = "1bit/s" } end,
  burst = function() link { web, db, burst = { p13 = "60%", p14 = "60%" } } end,
  itself = function() fault.partition { web, web, at = "10s" } end,
  ["link itself"] = function() fault.partition { link(web, web), at = "10s" } end,
  ["two pairs"] = function() fault.partition { link(web, db), users, at = "10s" } end,
  ["no rate"] = function() fault.bandwidth { web, rate = "0bit/s", at = "10s" } end,
  ["nothing lost"] = function() fault.loss { web, at = "10s" } end,
  ["two losses"] = function()
    fault.loss { web, ratio = "1%", burst = { p = "1%" }, at = "10s" }
  end,
  slices = function() fault.slicer { web, size = "0B", at = "10s" } end,
  port = function() fault.blackhole { web, port = 70000, at = "10s" } end,
  flap = function() fault.flap { web, up = "1us", down = "1us", at = "10s" } end,
  flood = function() fault.flood { web, rate = "1e12/s", at = "10s" } end,
  ["no data"] = function() fault.limit_data { web, bytes = "0B", at = "10s" } end,
  ["two resets"] = function() fault.reset { web, bytes = "1B", after = "1s", at = "10s" } end,
  ["at once"] = function() fault.slow_close { web, delay = "0s", at = "10s" } end,
  pick = function() fault.latency { link(web, db), add = "1ms", pick = "one", at = "10s" } end,
  nic = function() fault.nic_down { web, at = "10s" } end,
}
if acts[case] then acts[case]() end

expect "never reached" { sometimes = web.rate:above "1/s" }
