-- Q29, M/M/1 with retrials: who finds the server busy comes again after an exponential time, until
-- served. Expected: Falin and Templeton, Retrial Queues (1997): with mu = 1 the mean number in
-- orbit is rho^2/(1 - rho) (1 + 1/theta), and so the mean time there W = that / rho.
-- The caller is a handler that tries again; it stands 20 us from the server, 40 us a try, and a
-- service time here is 100 ms, so that this does not count.
-- `error` is the relative standard error of W over a million customers, from 20 seeds.
local n = param("customers", 1e4)
local case = param("case", { ".5 slow", ".5", ".5 quick", ".8", ".8 quick" })
local want = ({
  [".5 slow"]  = { rho = 0.5, theta = 0.1, W = 11,  error = 0.003 },
  [".5"]       = { rho = 0.5, theta = 1,   W = 2,   error = 0.004 },
  [".5 quick"] = { rho = 0.5, theta = 10,  W = 1.1, error = 0.004 },
  [".8"]       = { rho = 0.8, theta = 1,   W = 8,   error = 0.012 },
  [".8 quick"] = { rho = 0.8, theta = 10,  W = 4.4, error = 0.012 },
})[case]
local slack = 4 * want.error * math.sqrt(1e6 / n)

scenario "Retrials" { duration = math.ceil(n / want.rho / 10) .. "s" }

local rack = host "rack" {}
local q = service "q" { on = rack, concurrency = 1, queue = { max = 0 },
  service_time = dist.exponential { mean = "100ms" } }
local caller = service "caller" { on = rack, concurrency = 60000, service_time = "0s", handle = {
  ["GET /"] = function(req)
    while not req:call { q, "GET /", timeout = "1000h" }.ok do
      req:sleep(("%dns"):format(math.floor(-math.log(1 - rand()) / want.theta * 1e8)))
    end
    return 200
  end,
} }
traffic "customers" { to = caller, op = "GET /", rate = want.rho * 10 .. "/s", timeout = "1000h",
  beside = true }

expect "the mean time in orbit and one service is Falin and Templeton's" {
  at_end = caller.latency.mean:between(("%.9gs"):format((want.W + 1) / 10 * (1 - slack)),
    ("%.9gs"):format((want.W + 1) / 10 * (1 + slack))),
}
