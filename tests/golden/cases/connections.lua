-- Connections, by exact times. Users are 5 ms away: a round trip takes 10 ms.
local case = param("case", { "pool", "evicts", "too old", "keep-alive", "no keep-alive", "reset",
  "reset later", "limit_data", "slow start after idling" })

scenario "Connections cost what they take" { duration = "5m" }

local row = ({
  -- Three at once share one connection: the third waits for two.
  pool = { batch = 3, work = "100ms", pool = { max = 1 }, want = { "330ms", "110ms" } },
  -- Two replicas by turns and one connection: it is opened anew each time.
  evicts = { replicas = 2, work = "100ms", pool = { max = 1, warm = false },
             want = { "120ms", "120ms" } },
  -- Older than a second, and closed: every request opens one.
  ["too old"] = { work = "0s", pool = { max_age = "1s" }, want = { "20ms", "20ms" } },
  -- Silence from 25 s on: probed after 10 s, given up three probes of 5 s later.
  ["keep-alive"] = { work = "100s", down = true, want = { "25s", "25s" }, fails = true,
                     tcp = { keepalive = { time = "10s", interval = "5s", probes = 3 } } },
  ["no keep-alive"] = { work = "100s", down = true, fails = true, want = { "1m", "1m" } },
  reset = { work = "100s", reset = "0s", fails = true, want = { "5s", "5s" } },
  ["reset later"] = { work = "100s", reset = "2s", fails = true, want = { "7s", "7s" } },
  -- 512 bytes there and 1 KiB back, three times: the fourth answer exceeds 6 KB.
  limit_data = { work = "0s", limit = "6000B", fails = true, want = { "20ms", "5ms" } },
  -- 30 segments: two rounds, once the window has grown one, after 20 s without use two again.
  ["slow start after idling"] = { work = "0s", response = "43800B", want = { "20ms", "20ms" } },
})[case]

local web = service "web" { replicas = row.replicas, service_time = row.work }
local users = traffic "users" {
  to = web, rate = (row.batch or 1) / 20 .. "/s", arrivals = "constant", batch = row.batch,
  timeout = "1m", pool = row.pool, tcp = row.tcp, response_size = row.response,
}
link { users, web, latency = "5ms" }

if row.down then fault.down { web, at = "25s" } end
if row.reset then fault.reset { web, at = "25s", after = row.reset, lasting = "1m" } end
if row.limit then fault.limit_data { web, at = "5s", bytes = row.limit } end

expect "the slowest of the first" {
  sometimes = users.latency.max:between(row.want[1], dur(row.want[1]) + "1us"),
}
expect "the quickest" {
  sometimes = users.latency.p50:at_least(row.want[2]),
}
if row.fails then
  expect "requests fail" { sometimes = users.errors.ratio:equals "100%" }
else
  expect "no request fails" { always = users.errors.ratio:equals "0%" }
end
