-- Q10, M/G/c/c: c servers and no queue. The share that is refused is Erlang's B and does not
-- depend on the distribution of the service time. Expected: Erlang (1917); Kleinrock, Queueing
-- Systems I (1975), ch. 3; Harchol-Balter (2013), ch. 15; insensitivity: Sevastyanov (1957).
-- The bound is absolute, 0.002 for a million customers; four standard errors are less.
local Q = use "./_queue.lua"
local n = param("customers", 3e5)
local case = param("case", { "c=1 a=1", "c=5 a=3", "c=10 a=5", "c=10 a=8", "c=20 a=15",
                             "c=100 a=90" })
local work = param("work", { "exponential", "constant", "hyperexponential" })
local want = ({
  ["c=1 a=1"] = { c = 1, a = 1, B = 0.5 },
  ["c=5 a=3"] = { c = 5, a = 3, B = 0.11005 },
  ["c=10 a=5"] = { c = 10, a = 5, B = 0.018385 },
  ["c=10 a=8"] = { c = 10, a = 8, B = 0.12166 },
  ["c=20 a=15"] = { c = 20, a = 15, B = 0.045593 },
  ["c=100 a=90"] = { c = 100, a = 90, B = 0.026957 },
})[case]

scenario "M/G/c/c" { duration = Q.duration(n, want.a) }

local q = service "q" {
  concurrency = want.c, queue = { max = 0 },
  service_time = ({ exponential = Q.exp(1), constant = Q.constant(1),
    hyperexponential = Q.h2(4, 1) })[work],
}
traffic "customers" { to = q, rate = Q.rate(want.a), timeout = "1000h", beside = true }

local bound = 0.002 * math.sqrt(1e6 / n)
expect "as many are refused as Erlang's B says" {
  at_end = q.shed.ratio:between(want.B - bound, want.B + bound),
}
