scenario "x" { duration = "5m" }
local web = service "wéb" { replicas: 3, queue = { max = 5 policy = "fifo" } }
web2 = service "b" {}
