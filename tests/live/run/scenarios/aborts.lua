local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}", "slow" },
                            protocol = "http" }
local users = traffic "users" { to = api, rate = "20/s", op = "GET /", timeout = "100ms" }
scenario "It is stopped" {
  duration = "30s", abort_when = users.errors.ratio:above "50%",
}
expect "requests are sent" { sometimes = users.errors.ratio:above "10%" }
