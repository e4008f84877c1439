-- What only the model can refuse of faults that bring something out, table-driven: each body, and
-- what is said. In drive a refusal is an error, which the script may look at.
scenario "Deploys that make no sense are refused" { duration = "5s" }

local db  = database "db" {}
local api = service "api" {
  replicas = 2, versions = { v1 = {}, v2 = {} }, version = "v1", calls = { call { db, "select" } },
}
traffic "users" { to = api, rate = "10/s" }

local CASES = {
  { "bad_deploy", { api }, "fault.bad_deploy needs `version`, `factor` or `error_ratio`: what is bad?" },
  { "bad_deploy", { api, version = "v3" }, 'service api has no version "v3"' },
  { "bad_deploy", { api.replica[1], version = "v2" }, "fault.bad_deploy with `version` acts on routes, "
    .. "not on replicas: its target is the service, without `pick`" },
  { "bad_deploy", { api, version = "v2", pick = "one" }, "fault.bad_deploy with `version` acts on "
    .. "routes, not on replicas: its target is the service, without `pick`" },
  { "bad_deploy", { db, factor = 2 }, "fault.bad_deploy cannot target the database db: only a "
    .. "service is deployed" },
  { "bad_deploy", { api, factor = 1e9 }, "`factor` must be between 0.001 and 1e+06, got 1e+09" },
  { "config_push", { db }, "fault.config_push needs `factor` or `error_ratio`" },
  { "config_push", { api, factor = 2, waves = 0 }, "`waves` must be between 1 and 1000, got 0" },
  { "config_push", { api, factor = 2, waves = 1001 }, "`waves` must be between 1 and 1000, got 1001" },
  { "config_push", { api, factor = 2, gap = "5s" }, "`gap` is between two waves, and there is one: "
    .. "say `waves`" },
  { "config_push", { api, factor = 2, waves = 3, gap = "5s", lasting = "10s" }, "3 waves do not fit "
    .. "into `lasting`: the last would come after the end" },
}

drive("operator", function()
  for _, case in ipairs(CASES) do
    local ok, why = pcall(function() fault[case[1]](case[2]) end)
    mark(ok and "accepted" or why)
  end
end)
for i, case in ipairs(CASES) do
  expect(i .. ": " .. case[3]) { sometimes = happened(case[3]) }
end
expect "nothing wrong is accepted" { never = happened "accepted" }
