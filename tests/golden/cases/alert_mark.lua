-- What an alert marks by itself nobody else does: a drill that never paged is not told as one.
scenario "A script cannot say that somebody was paged" { duration = "2m" }
local api = service "api" { service_time = "5ms" }
local users = traffic "users" { to = api, rate = "10/s" }
local p = alert "P" { when = users.errors.ratio:above "50%" }
drive("liar", function()
    mark "Q notified"
    sleep "10s"
    local ok, why = pcall(mark, "P fired")
    log(ok and "it was told" or why)
    mark "P notified"
end)
expect "nobody is told" { never = p.notified }
