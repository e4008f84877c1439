-- One file, two worlds: packets are lost on the way to an nginx, in the model and for real. Live
-- each program has a network of its own, what is lost are packets, and TCP's timers are the
-- kernel's.
--
-- Numbers: Linux waits 200 ms at the least before it sends again what was alone on its way
-- (TCP_RTO_MIN, include/net/tcp.h), and 1 s after a SYN (RFC 6298, 2.1).
scenario "A small page over a way that loses packets" {
  about    = "One packet each way: nothing behind a lost one tells of it, a timer does.",
  tags     = { "live", "nginx", "network", "packets" },
  network  = "namespaces",
  duration = "19s",
  warmup   = "1s",
}

local web = service "web" {
  concurrency  = 64,
  service_time = "200us",
  live = {
    run      = { "nginx", "-p", "{{dir}}", "-c", "{{dir}}/nginx.conf" },
    protocol = "http",
    ready    = { http = "/" },
    files    = { ["nginx.conf"] = [[
      daemon off; master_process off; pid nginx.pid; error_log stderr;
      events { worker_connections 1024; }
      http {
        access_log off; keepalive_requests 1000000;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        server { listen {{host}}:{{port}}; location / { return 200 "ok\n"; } }
      }]] },
  },
}

local users = traffic "users" { to = web, op = "GET /", rate = "40/s", timeout = "8s" }
link { users, web, latency = "100us" }

-- what breaks ---------------------------------------------------------------
local lossy = fault.loss { link(users, web), ratio = "5%", at = "3s", lasting = "7s" }

-- what must hold ------------------------------------------------------------
expect "nobody gets an error: TCP sends again" {
  always = users.errors.ratio:below "0.1%",
}

expect "most notice nothing" {
  always = users.latency.p50:below "50ms", during = { after = "4s", lasting = "6s" },
}

-- One request in ten loses a packet, on its way or on the way back.
expect "who lost a packet waits for a timer of 200 ms" {
  sometimes = users.latency.p99:at_least "200ms", during = { after = "3s", lasting = "7s" },
}

expect "nothing of it stays" {
  eventually = users.latency.p99:below "100ms", after = lossy.ends, within = "6s", holding = "2s",
}
