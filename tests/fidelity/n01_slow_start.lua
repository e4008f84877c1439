-- N01, slow start: time to the last byte over a new connection. RTT 100 ms, segments of 1460
-- bytes, an initial window of 10, no loss, no limit of bandwidth, no server time, a request of one
-- segment. The handshake is a round trip, TLS 1.3 one more, TLS 1.2 two.
-- Expected: RFC 6928 (initial window), RFC 5681 (slow start):
-- rounds = ceil(log2(segments / 10 + 1)).
local bytes = param("bytes", { 1000, 14600, 14601, 43800, 50000, 100000, 102200, 500000, 1000000,
                               10000000 })
local tls = param("tls", { "off", "1.3", "1.2" })
local new_tcp = ({ [1000] = 200, [14600] = 200, [14601] = 300, [43800] = 300, [50000] = 400,
                   [100000] = 400, [102200] = 400, [500000] = 700, [1000000] = 800,
                   [10000000] = 1100 })[bytes]
local want = new_tcp + ({ off = 0, ["1.3"] = 100, ["1.2"] = 200 })[tls]

scenario "Slow start takes as many rounds as the closed form" { duration = "20s" }

local files = service "files" { service_time = "0s", tls = tls }
local reader = traffic "reader" {
  to = files, rate = "30/m", arrivals = "constant", response_size = bytes .. "B",
  pool = { warm = false, max_age = "1ns" },
}
link { reader, files, latency = "50ms" }

expect "the last byte is there after that many round trips" {
  at_end = reader.latency.mean:between(want - 0.001 .. "ms", want + 0.001 .. "ms"), over = "10s",
}
expect "every time" { always = reader.latency.max:at_most(want * 1.001 .. "ms") }
