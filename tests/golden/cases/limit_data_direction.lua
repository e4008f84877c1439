-- A connection carries 1 KiB there and 3 KiB back for each request. Of 10 KiB that may come back it
-- answers three requests, of as much that may be sent ten, and of both together two.
local direction = param("direction", { "both", "to", "from" })
scenario "Bytes of one way are counted" { duration = "60s", warmup = "5s" }
local db = service "db" {}
local web = service "web" {
  calls = { call { db, timeout = "1s", size = "1KiB", response_size = "3KiB",
                   pool = { max = 1 } } },
}
traffic "users" { to = web, rate = "20/s", arrivals = "constant" }
fault.limit_data { link(web, db), bytes = "10KiB", direction = direction, at = "0s" }
local share = { both = 1 / 3, to = 1 / 11, from = 1 / 4 }
expect "one in so many is cut off" {
  sometimes = web.errors.ratio:between(share[direction] - 0.01, share[direction] + 0.01),
  over = "50s",
}
