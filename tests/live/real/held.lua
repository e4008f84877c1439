-- What is in force when Lorenz is killed: a stopped nginx, and a proxy that delays.
scenario "Held until somebody lets go" { duration = "60s" }

local web = service "web" {
  live = {
    run      = { "nginx", "-p", "{{dir}}", "-c", "{{dir}}/nginx.conf" },
    protocol = "http",
    files    = { ["nginx.conf"] = [[
      daemon off; master_process off; pid nginx.pid; error_log stderr;
      events { worker_connections 64; }
      http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy_temp; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        server { listen 127.0.0.1:{{port}}; location / { return 200 "ok\n"; } }
      }]] },
  },
}
local users = traffic "users" { to = web, op = "GET /", rate = "5/s", timeout = "1s" }

-- Tells the test where its proxy listens.
process "teller" {
  connects = web, ready = { command = { "true" } },
  run = { "sh", "-c", "echo {{web.port}} > {{web.dir}}/proxy; exec sleep 600" },
}

fault.latency { link(users, web), add = "100ms", at = "1s", lasting = "58s" }
fault.pause { web, at = "1s", lasting = "58s" }

expect "somebody is served" { sometimes = users.success.ratio:above "50%" }
