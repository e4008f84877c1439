-- N13, serialisation, propagation and bufferbloat: bytes / rate, 200 km of fibre per ms, and what
-- waits in a buffer. Expected: definition; exact.
local case = param("case", { "1500B @1Gbps", "1500B @10Mbps", "4000 km of fibre",
                             "1 MB FIFO @10Mbps" })
local row = ({
  ["1500B @1Gbps"]      = { rate = "1Gbit/s", size = "1500B", want = 0.012 },
  ["1500B @10Mbps"]     = { rate = "10Mbit/s", size = "1500B", want = 1.2 },
  ["4000 km of fibre"]  = { latency = 4000 / 200 .. "ms", size = "1B", want = 20 },
  -- A thousand users send 1000 bytes each at once: the last one waits for the others' megabyte.
  ["1 MB FIFO @10Mbps"] = { rate = "10Mbit/s", size = "1000B", batch = 1001, want = 800.8 },
})[case]

scenario "A line takes bytes by rate, and the rest waits" { duration = "1m" }

local sink = service "sink" { service_time = "0s", concurrency = 2000 }
local sender = traffic "sender" {
  to = sink, rate = (row.batch or 1) / 10 .. "/s", arrivals = "constant", batch = row.batch,
  size = row.size, response_size = "1B",
}
link { sender, sink, latency = row.latency or "0s", bandwidth = row.rate, buffer = "2MB",
       direction = "to" }
link { sink, sender, latency = "0s", direction = "to" }

expect "the slowest takes what the arithmetic says" {
  always = sender.latency.max:between(row.want - 1e-5 .. "ms", row.want + 1e-5 .. "ms"),
}
