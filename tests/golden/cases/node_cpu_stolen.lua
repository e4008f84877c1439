-- What is stolen from a CPU is in use from the instant it is stolen, and no longer than that: no
-- request has to come and look. One comes at 20 s, and one more at 40 s.
scenario "Stolen from the idle" { duration = "60s" }
local web = service "web" { replicas = 1, cpu = 1, service_time = "10ms" }
traffic "users" { to = web, rate = "0.05/s", arrivals = "constant" }
fault.cpu { web, load = 1, at = "5s", lasting = "20s" }

local function holds(least, most, after, lasting)
    expect("cpu after " .. after) {
        always = web.cpu:between(least, most),
        during = { after = after, lasting = lasting },
    }
end
holds("0%", "0%", "1s", "3s")
holds("100%", "100%", "6s", "18s")
holds("0%", "0%", "26s", "13s")
