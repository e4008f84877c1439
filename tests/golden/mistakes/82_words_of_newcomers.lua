scenario "x" { duration = "2m", warmup = "10s" }
local pg = database "pg" { replicas = 2, failover = "10s" }
local redis = cache "redis" { capacity = "100MB", backed_by = pg }
local kafka = broker "kafka" { brokers = 3 }
local orders = topic "orders" { broker = kafka, partitions = 6 }
local workers = consumers "workers" { topic = orders, replicas = 3 }
local api = service "api" { broker = kafka, topic = orders }
local web = service "web" { calls = { call { redis, fallback = pg } } }
toxic.latency { link(web, pg), latency = "100ms" }
