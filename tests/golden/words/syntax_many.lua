-- Everything that is wrong for certain is said at once, wherever it stands.
scenario "x" { duration: "5m", warmup = 10s }
local web = service "web" {
  replicas = 3
  cpu = 2, queue = { max = 5 policy = "fifo" },
  -- 300ms: in comments and in "texts: 300ms" nothing is looked for
  handle = { ["GET /a"] = function(req)
    local hit = req:call { db }
    if hit.ok != true then return 500 end
    goto done
    ::done::
    return 200
  end },
}
fault.loss { web, ratio = 10%, at = 1m30s, for = "30s" }
