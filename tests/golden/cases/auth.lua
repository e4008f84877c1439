-- Tokens are good for 100 s and renewed 20 s before their end, so that their ages are spread over
-- 80 s. An identity provider that is away from 100 s on is felt by nobody for 20 s; then the share
-- of tokens that have run out grows by 1/80 a second: (t - 20 s) / 80 s, all of them after 100 s.
-- A job's replica has a token of its own. Keys are fetched every 40 s: after a rotation new tokens
-- are refused by a replica until it has them, with refresh_on_unknown for a moment; and old ones,
-- if their key was withdrawn, from then on.
local broken = param("broken", { "away", "rotated", "noticed", "withdrawn" })
scenario "An identity provider is felt late" { duration = "6m" }

local idp = service "idp" { service_time = "2ms" }
local api = service "api" {
  replicas = 4,
  auth = {
    issuer = idp, lifetime = "100s", renew = "20s", holders = 400, refresh = "40s", retry = "1s",
    refresh_on_unknown = broken == "noticed" or nil, cooldown = broken == "noticed" and "1s" or nil,
  },
}
local open = service "open" {}
local app = traffic "app" { to = api, rate = "400/s", arrivals = "constant" }
local out = traffic "others" { to = open, rate = "20/s" }

expect "without a token to show nobody is refused" { always = out.errors.ratio:equals "0%" }
expect "and while all is well nobody else is" {
  always = app.errors.ratio:equals "0%", during = { after = "1s", lasting = "98s" },
}
expect "keys are fetched and tokens renewed" { at_end = idp.rate:above "1/s" }

if broken == "away" then
  local gone = fault.auth_outage { idp, at = "100s", lasting = "120s" }
  local function share(after, low, high)
    expect(("as many have run out after %s"):format(after)) {
      always = app.errors.ratio:between(low, high), during = { after = after, lasting = "1s" },
    }
  end
  expect "tokens that are out live on for 20 s" {
    always = app.errors.ratio:equals "0%", during = { after = "100s", lasting = "20s" },
  }
  share("140s", "20%", "31%")
  share("160s", "45%", "56%")
  share("180s", "70%", "81%")
  expect "in the end they all have" {
    always = app.errors.ratio:equals "100%", during = { after = "201s", lasting = "18s" },
  }
  expect "24000 refusals: 400/s for half of 80 s and all of 20 s" {
    at_end = api.tokens.refused:between(23800, 24400),
  }
  expect "and then it goes on" {
    always = app.errors.ratio:equals "0%", during = { after = "223s", lasting = "100s" },
  }
elseif broken == "withdrawn" then
  fault.key_rotation { idp, at = "100s", withdraw = true }
  expect "all old tokens are refused once caches are fresh, and renewed within 80 s" {
    always = app.errors.ratio:equals "0%", during = { after = "181s", lasting = "100s" },
  }
  -- New tokens at stale replicas, as below, 3.33 s; old ones at fresh ones, t/40 (1 - t/80) for 40 s,
  -- 13.33 s, then 1 - t/80 up to 80 s, 10 s: 26.67 s of 400/s.
  expect "10667 refusals" { at_end = api.tokens.refused:between(10200, 11150) }
elseif broken == "rotated" then
  fault.key_rotation { idp, at = "100s" }
  expect "new tokens are refused until all caches are fresh" {
    always = app.errors.ratio:equals "0%", during = { after = "141s", lasting = "100s" },
  }
  -- Tokens are renewed at 1/80 a second, and t after the rotation 1 - t/40 of the replicas have old
  -- keys: 400/s times the integral of t/80 (1 - t/40) over 40 s, 3.33.
  expect "1333 refusals" { at_end = api.tokens.refused:between(1100, 1560) }
else
  fault.key_rotation { idp, at = "100s" }
  expect "the first of each replica is refused" { at_end = api.tokens.refused:between(4, 20) }
end
