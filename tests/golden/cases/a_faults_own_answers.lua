-- A fault stands before its server, as a proxy does: what it answers itself is not the server's
-- answer, so that a fault on answers does not see it. What the server's own limit answers it does.
local who = param("who", { "fault", "limit" })
scenario "Whose answers are reset" { duration = "20s", warmup = "2s" }
local api = service "api" { replicas = 2, service_time = "5ms" }
local front = gateway "front" { to = api, limit = who == "limit" and "50/s" or nil }
local users = traffic "users" { to = front, rate = "100/s", timeout = "2s" }
if who == "fault" then
  fault.http_abort { front, status = 429, ratio = 0.5, at = "5s", lasting = "10s" }
end
fault.http_reset { front, side = "answer", of_status = 429, at = "5s", lasting = "10s" }
expect "users" { always = users.errors.ratio:below "100%" }
