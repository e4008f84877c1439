scenario "One hot key does not slow down a table that has capacity to spare" {
  about = [[Throughput dilution, as told in Elhemali et al., "Amazon DynamoDB" (USENIX ATC 2022,
section 4): what was provisioned for a table used to be shared out over its partitions for good
(3200 write units over four are 800 each; here 800 are 200 each). A key that becomes popular has
its partition throttled, while the others' capacity lies idle; what a partition had saved up, 300 s
of it, only puts it off. Adaptive capacity lends it what the table has, up to the 1000 writes per
second of a partition.]],
  tags     = { "store", "hot-key", "throttling" },
  duration = "10m",
  warmup   = "30s",
  xfail    = { adaptive = false },
}

local adaptive = param("adaptive", { false, true })

local carts = store "carts" {
  kind = "key_value", partitions = 4, read_capacity = 400, write_capacity = 800,
  adaptive = adaptive,
}

local shop = service "shop" {
  replicas = 4, concurrency = 200,
  calls = { call { carts, "put cart", timeout = "300ms", retries = 2, backoff = "50ms" } },
}

traffic "buyers" {
  to = shop, rate = "700/s", timeout = "2s", keys = dist.zipf { n = 10000, skew = 0.3 },
}

local celebrity = fault.hot_key { carts, ratio = "80%", at = "2m", lasting = "6m" }

expect "the table takes what it was provisioned for" {
  always = carts.errors.ratio:below "1%",
}
expect "what was saved up lasts for two minutes" {
  always = shop.errors.ratio:below "1%", during = { after = celebrity, lasting = "2m" },
}
expect "buyers do not notice" {
  always = shop.errors.ratio:below "1%", over = "5s",
}
