-- N06, round trips until the first byte of an answer, at a round trip of 80 ms.
-- Expected: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 9000 and RFC 9001 (QUIC); TLS 1.3's 0-RTT
-- over TCP saves TLS' round trip, QUIC's all.
local case = param("case", { "TCP", "TCP+TLS1.3", "TCP+TLS1.2", "TLS1.3 0-RTT on TCP", "QUIC 1-RTT",
                             "QUIC 0-RTT" })
local row = ({
  ["TCP"]                 = { trips = 2 },
  ["TCP+TLS1.3"]          = { trips = 3, tls = "1.3" },
  ["TCP+TLS1.2"]          = { trips = 4, tls = "1.2" },
  ["TLS1.3 0-RTT on TCP"] = { trips = 2, tls = "1.3", early_data = true },
  ["QUIC 1-RTT"]          = { trips = 2, transport = "quic" },
  ["QUIC 0-RTT"]          = { trips = 1, transport = "quic", early_data = true },
})[case]

scenario "A new connection costs its round trips" { duration = "30s", warmup = "5s" }

local web = service "web" {
  service_time = "0s", tls = row.tls, transport = row.transport, early_data = row.early_data,
}
local user = traffic "user" {
  to = web, rate = "1/s", arrivals = "constant", pool = { warm = false, max_age = "1ns" },
}
link { user, web, latency = "40ms" }

expect "exactly as many as the protocol takes" {
  always = user.latency.mean:between(row.trips * 80 - 0.001 .. "ms",
      row.trips * 80 + 0.001 .. "ms"),
}
