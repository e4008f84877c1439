-- Which connections are reset, and where in what they carry. A request a second.
local case = param("case", { "first", "response" })

scenario "Resets are for the first connections, or in an answer" { duration = "1m" }

local web = service "web" { service_time = "1ms" }
-- Too old after 100 ms: each request opens a connection of its own.
local users = traffic "users" {
  to = web, rate = "1/s", arrivals = "constant",
  pool = { max = 1, warm = false, max_age = case == "first" and "100ms" or "5s" },
}

if case == "first" then
  fault.reset { web, at = "10.5s", first = 3 }
  expect "the first three fail" {
    always = users.errors.ratio:equals "100%", during = { after = "11s", lasting = "3s" },
  }
  expect "the others do not" {
    always = users.errors.ratio:equals "0%", during = { after = "14s", lasting = "40s" },
  }
else
  -- Answers have 1 KiB. From 10.5 s on the third of each connection is cut off after 1000 B.
  fault.reset { web, at = "10.5s", lasting = "30s", response = 3, bytes = "1000B" }
  expect "each third fails" {
    sometimes = users.errors.ratio:between("33%", "34%"), over = "12s",
  }
end
