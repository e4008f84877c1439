-- Acts that a rollout refuses: each is an error of the script, in the words of the one who wrote it.
scenario "Deploys that cannot be" { duration = "10s" }
local api = service "api" { replicas = 2, rollout = {}, versions = { v1 = {}, v2 = {} } }
local web = service "web" { replicas = 2, versions = { v1 = {} } }
traffic "users" { to = api, rate = "10/s" }
local function refused(what, f)
  local ok, why = pcall(f)
  log("%s: %s", what, ok and "accepted" or why)
  return not ok
end
local count = 0
drive("operator", function()
  local bad = {
    function() api:deploy "v3" end,
    function() api:deploy(5) end,
    function() web:deploy "v1" end,
    function() api:route { v2 = "5%" } end,
    function() mark "api deployed" end,
    function() api.deploy("v2") end,
  }
  for i, f in ipairs(bad) do if refused(i, f) then count = count + 1 end end
  assert(count == #bad, count)
  sleep "1s"
  assert(api:deploy "v2")
end)
expect "what can be is deployed" { eventually = api.deployed, after = "1s", within = "1s" }
check("all were refused", function() return count == 6 end)
