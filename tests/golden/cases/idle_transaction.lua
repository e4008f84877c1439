-- A transaction that somebody left open keeps what is replaced and the row that it wrote. PostgreSQL's
-- idle_in_transaction_session_timeout ends it, though whoever left it does not notice: from then on
-- nothing is kept. One that ends sooner by itself is not touched.
local patience = param("patience", { "never", "90s", "10m" })
scenario "A transaction is left open" { duration = "8m", xfail = { patience = { "never", "10m" } } }

local db = database "pg" {
  idle_in_transaction_timeout = patience ~= "never" and patience or nil,
}
local users = traffic "users" {
  to = db, op = "write order", rate = "10/s", keys = dist.zipf { n = 10, skew = 0 }, timeout = "1s",
}

fault.long_transaction { db, key = 1, at = "1m", lasting = "5m" }

expect "a minute and a half of versions is kept at the most" { always = db.dead_rows:below(950) }
expect "users wait no longer than that for its row" {
  always = users.errors.ratio:equals "0%", during = { after = "2m32s" },
}
expect "in the end nothing is" { at_end = db.dead_rows:equals(0) }
