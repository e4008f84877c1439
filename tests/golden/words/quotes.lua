-- Arithmetic where a rate was meant, and words of other languages.
scenario "x" { duration = "5m" }
local web = service "web" { replicas = 2, cpu = null }
traffic "users" { to = web, rate = 400/s, cancel = True }
