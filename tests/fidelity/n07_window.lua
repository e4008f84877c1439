-- N07, throughput of one connection that its window limits: window / round trip.
-- Expected: RFC 7323, section 1; 2 %. An answer of 2000 windows takes 2000 round trips, and a few
-- more until the window is open.
local case = param("case", { "65535B 100ms", "65535B 10ms", "4194304B 100ms", "6291456B 150ms" })
local row = ({
  ["65535B 100ms"]   = { window = 65535, rtt = 100, mbit = 5.2428 },
  ["65535B 10ms"]    = { window = 65535, rtt = 10, mbit = 52.428 },
  ["4194304B 100ms"] = { window = 4194304, rtt = 100, mbit = 335.54 },
  ["6291456B 150ms"] = { window = 6291456, rtt = 150, mbit = 335.54 },
})[case]
local bytes = 2000 * row.window
local seconds = bytes * 8 / (row.mbit * 1e6)

scenario "A window's worth gets through in each round trip" {
  duration = math.ceil(3 * seconds) .. "s",
}

local files = service "files" { service_time = "0s" }
local reader = traffic "reader" {
  to = files, rate = 1 / (1.2 * seconds) .. "/s", arrivals = "constant", timeout = "2h",
  response_size = bytes .. "B", tcp = { window = row.window .. "B" },
}
link { reader, files, latency = row.rtt / 2 .. "ms" }

expect "the throughput is the closed form's" {
  at_end = reader.latency.max:between(0.98 * seconds .. "s", 1.02 * seconds .. "s"),
  over = math.floor(2.5 * seconds) .. "s",
}
