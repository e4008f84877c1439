-- Ten billion pieces an hour apart take longer than any run: the answer does not come, and that is all.
scenario "A message in more pieces than there is time" { duration = "30s" }
local db = service "db" {}
local web = service "web" {
  calls = { call { db, timeout = "2s", response_size = "10GiB" } },
}
local users = traffic "users" { to = web, rate = "1/s", timeout = "20s" }
fault.slicer { link(web, db), size = "1B", delay = "1h", direction = "from", at = "5s" }
fault.slicer { link(web, db), size = "2B", delay = "24h", direction = "from", at = "10s" }
expect "nothing comes in time" { always = users.errors.ratio:equals "100%",
                                 during = { after = "9s" } }
