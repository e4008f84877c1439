-- Faults of the machine, and of what it gives a program. The last two wait to be killed in.
-- A line that ends with @disk or @clock is left out where the machine cannot do that.
scenario "a real server on a bad machine" { duration = "9s" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http" },
}
-- Who asks waits for nobody: a machine that is short of everything could not send in time.
local clock = probe "its clock" { http = "http://{{web.address}}/", value = true, every = "20ms" }

-- What is taken is held by a child of the run.
local held = probe "held" { value = true, every = "100ms", timeout = "2s",
  command = { "sh", "-c", "p=$(pgrep -P $PPID -x lorenz-memory | tail -n 1); "
    .. "awk '/VmRSS/ { kib = $2 } END { print kib + 0 }' /proc/${p:-self}/status" } }

fault.cpu { web, load = "30%", at = "1s", lasting = "1s" }
fault.memory { web, fill = "0.5%", leak = "1MiB/s", at = "1s", lasting = "1s" }
fault.memory { web, size = "96MiB", at = "6s", lasting = "2s" }
fault.fd_limit { web, limit = 3, at = "3s", lasting = "1s" }
fault.clock_skew { web, offset = "1h", at = "2s", lasting = "3s" } -- @clock
fault.cpu_throttle { web, quota = "1%", at = "5s", lasting = "3s" }
fault.disk_full { web, keep = "0B", at = "5s", lasting = "3s" } -- @disk

-- Less than twice of it: a child has what its parent had, under sanitizers some 45 MiB.
expect "memory is taken by its size" { sometimes = held.value:between(98304, 180000),
                                       during = { after = "4s", lasting = "5s" } }
expect "no more of it" { always = held.value:below(180000),
                         during = { after = "4s", lasting = "5s" } }
expect "and is given back" { at_end = held.value:below(20000) }
expect "its clock is an hour ahead" { sometimes = clock.value:at_least(3599) } -- @clock
expect "its clock is right in the end" { at_end = clock.value:below(2) }
expect "it answers" { sometimes = clock.errors.ratio:equals "0%" }
