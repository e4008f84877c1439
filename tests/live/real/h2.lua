-- An nginx that speaks HTTP/2 over TLS, with a certificate of its own making.
scenario "HTTP/2 over TLS" { duration = "4s" }
local alpn = param("alpn", "on")
local trust = param("trust", "own")
local ready_by = param("ready_by", "own")

local function certificate(name)
  return { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
           "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", "{{dir}}/" .. name .. ".key",
           "-out", "{{dir}}/" .. name .. ".pem" }
end

local web = process "web" {
  protocol = "https",
  ready    = { http = "/", ca_file = "{{dir}}/" .. ready_by .. ".pem" },
  ready_within = ready_by == "own" and "60s" or "2s",
  setup    = { certificate "own", certificate "other" },
  run      = { "nginx", "-p", "{{dir}}", "-c", "{{dir}}/nginx.conf" },
  files    = { ["nginx.conf"] = [[
    daemon off; master_process off; pid nginx.pid; error_log stderr;
    events { worker_connections 64; }
    http {
      access_log off;
      client_body_temp_path body; proxy_temp_path proxy_temp; fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      server {
        listen 127.0.0.1:{{port}} ssl]] .. (alpn == "on" and " http2" or "") .. [[;
        ssl_certificate own.pem; ssl_certificate_key own.key;
        location / { return 200 "ok\n"; }
      }
    }]] },
}

local users = traffic "users" {
  to = web, op = "GET /", rate = "20/s", timeout = "2s",
  live = { http2 = true, connections = 4,
           ca_file = trust == "other" and "{{web.dir}}/other.pem" or "{{web.dir}}/own.pem" },
}

expect "requests are answered" { sometimes = users.success.ratio:above "90%" }
