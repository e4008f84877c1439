scenario "An expired certificate is renewed before all connections are old" {
  about    = "Epic Games, 6 April 2021: a wildcard certificate of internal services expired at "
          .. "12:00 UTC and was reissued at 12:37. Open connections lived on, so that calls failed "
          .. "as fast as pools recycled. 'Expiration Date 4-6-2021', epicgames.com.",
  tags     = { "tls", "certificate", "incident" },
  duration = "60m",
  warmup   = "2m",
  xfail    = { recycle = { "5m", "30m" } },     -- the point: 37 minutes are too long
}

-- How old a pooled connection may be before it is closed and opened again.
local recycle = param("recycle", { "5m", "30m", "60m" })

local identity = service "identity" { replicas = 4, concurrency = 64, service_time = "4ms" }

local backend = service "backend" {
  replicas = 4, concurrency = 64, service_time = "6ms",
  calls = {
    call { identity, "POST /verify", timeout = "500ms",
           pool = { max = 16, max_age = recycle, warm = false } },
  },
}

local players = traffic "players" { to = backend, rate = "200/s", timeout = "2s" }

local expired = fault.cert_expiry { identity, at = "12m", lasting = "37m" }
fault.kill { identity.replica[1], at = "20m", lasting = "30s" }     -- a deploy, in the midst of it

expect "nobody notices at the moment it expires" {
  always = players.success.ratio:at_least "95%", during = { after = expired, lasting = "5s" },
}

expect "handshakes are refused, as established sessions end" {
  sometimes = identity.shed.ratio:above "0%", during = { after = expired, lasting = "37m" },
}

expect "half of the players are served throughout" {
  always = players.success.ratio:at_least "50%", over = "1m",
  because = "what was connected before stays connected",
}

expect "a new certificate ends it at once" {
  eventually = players.success.ratio:at_least "99.9%",
  after = expired.ends, within = "5s", holding = "5m",
}
