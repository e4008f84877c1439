scenario "What a request does on a disk" { duration = "60s" }

local case = param("case", { "alone", "line", "slow", "full", "broken", "none" })

local box = host "box" { disk = { iops = 1000, size = "1GB", used = "500MB" } }

local files = service "files" { on = box, service_time = "0ms", io = { writes = 1 } }
local index = service "index" {
  on = box, service_time = "0ms",
  handle = {
    ["GET /"] = function(req) return req:disk "write" and 200 or 507 end,
  },
}
local plain = service "plain" { service_time = "0ms", io = { reads = 1.5, writes = 1, flush = true } }

traffic "a" { to = files, rate = "300/s", beside = true }
traffic "b" { to = index, rate = case == "line" and "300/s" or "0.001/s", beside = true }
traffic "c" { to = plain, rate = "100/s", beside = true }

if case == "slow" then
  fault.disk_latency { files, add = "10ms", at = "1ms" }
  fault.disk_latency { index, add = "10ms", at = "1ms" }
end
if case == "full" then fault.disk_full { files, keep = "0B", at = "30s", lasting = "10s" } end
if case == "broken" then
  fault.disk_error { files, operations = { "write" }, ratio = "50%", at = "1ms" }
end
if case == "none" then fault.disk_latency { plain, add = "10ms", at = "1ms" } end

-- M/D/1 with 1 ms of the disk's time for each: 1 + rho / (2 (1 - rho)) ms (Pollaczek-Khinchine).
-- Each fault disturbs the disk that both share. The half that fails takes no time.
local expected = { alone = 1.214, line = 1.75, slow = 21.214, full = 1.214 * 5 / 6,
  broken = (1 + 0.15 / (2 * 0.85)) / 2, none = 1.214 }
local ms = expected[case]
expect "a request takes as long as its operation" {
  at_end = files.latency.mean:between(("%.3fms"):format(ms * 0.97), ("%.3fms"):format(ms * 1.03)),
}
expect "an operation that fails fails the request" {
  at_end = files.errors.ratio:between(case == "full" and "15%" or case == "broken" and "48%" or 0,
    case == "full" and "18%" or case == "broken" and "52%" or 0),
}
expect "a disk that nobody declared takes no time, unless it is disturbed" {
  at_end = plain.latency.mean:between(case == "none" and "34.5ms" or "0ms",
    case == "none" and "35.5ms" or "0.01ms"),
}
local share = ({ line = 79.5, full = 62.3, broken = 57.4 })[case] or 64.7
expect "what is written is kept" {
  at_end = box.disk:between(("%.1f%%"):format(share - 0.8), ("%.1f%%"):format(share + 0.8)),
}
