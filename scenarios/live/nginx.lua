-- One file, two worlds: `lorenz run` simulates it, `lorenz live --allow-run` starts an nginx, puts
-- a proxy between it and its users, and breaks the way there.
scenario "Users of an nginx behind a bad network" {
  about    = "Delay, a narrow line, and connections that break: the same in both worlds.",
  tags     = { "live", "nginx", "network" },
  duration = "20s",
  warmup   = "2s",
}

local page = ("A product, and how it looks. "):rep(700) -- 20 KB

local web = service "web" {
  concurrency  = 64,
  service_time = "200us",
  live = {
    run      = { "nginx", "-p", "{{dir}}", "-c", "{{dir}}/nginx.conf" },
    protocol = "http",
    ready    = { http = "/health" },
    files    = { ["www/product"] = page, ["nginx.conf"] = [[
      daemon off; master_process off; pid nginx.pid; error_log stderr;
      events { worker_connections 1024; }
      http {
        access_log off; keepalive_requests 1000000;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        server {
          listen 127.0.0.1:{{port}};
          root {{dir}}/www;
          location /health { return 200 "ok\n"; }
        }
      }]] },
  },
}

local users = traffic "users" {
  to = web, op = "GET /product", rate = "40/s", timeout = "1s", response_size = "20kB",
}
link { users, web, latency = "100us" }

-- what breaks ---------------------------------------------------------------
local far    = fault.latency { link(users, web), add = "50ms", at = "4s", lasting = "3s" }
local narrow = fault.bandwidth { link(users, web), rate = "10Mbit/s", at = "9s", lasting = "3s" }
local torn   = fault.reset { link(users, web), at = "14s", lasting = "2s" }

-- what must hold ------------------------------------------------------------
expect "with a good network the median is under 20 ms" {
  always = users.latency.p50:below "20ms",
  except = { { after = far, lasting = "5s" }, { after = narrow, lasting = "5s" },
             { after = torn, lasting = "3s" } },
}

expect "50 ms each way are 100 ms to a user" {
  always = users.latency.p50:between("95ms", "150ms"),
  during = { after = "5s", lasting = "2s" },
}

expect "20 KB take 16 ms over 10 Mbit/s, and nobody waits for ever" {
  always = users.latency.p50:between("14ms", "200ms"),
  during = { after = "10s", lasting = "2s" },
}

expect "resets are errors, not silence" {
  always = users.errors.ratio:above "90%",
  during = { after = "15s", lasting = "1s" },
}

expect "nothing of it stays" {
  eventually = users.errors.ratio:below "0.1%",
  after = torn.ends, within = "2s", holding = "2s",
}
