-- An answer of 10,000 bytes in pieces of 100, 1 ms apart: 99 gaps. Where each piece is 10 to 190
-- bytes the number of pieces is that of renewals: 10,000 / 100 + (v / 100^2 + 1) / 2 with a variance v
-- of 180^2 / 12, so 100.6 on average, and 99.6 gaps.
local variation = param("variation", { "0B", "90B" })
scenario "Pieces vary in their size" { duration = "60s", warmup = "2s" }
local db = service "db" {}
local web = service "web" { calls = { call { db, timeout = "2s", response_size = "10kB" } } }
traffic "users" { to = web, rate = "20/s", arrivals = "constant", timeout = "5s" }
fault.slicer { link(web, db), size = "100B", variation = variation, delay = "1ms",
               direction = "from", at = "0s" }
if variation == "0B" then
  expect "each takes as long" { always = web.latency.mean:between("100ms", "102ms") }
else
  expect "on average as long" { sometimes = web.latency.mean:between("99.5ms", "103.5ms"),
                                over = "50s" }
  expect "some longer" { sometimes = web.latency.max:above "106ms" }
end
