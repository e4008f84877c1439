-- S04, Apdex (Apdex Alliance, specification 1.1): of T, those answered within T are satisfied,
-- those within 4 T tolerate. Of an M/M/1 queue at rho = 0.5, where the time in system is
-- exponential with mean 1/(1 - rho) = 2, and T = 2: 1 - e^-1 are satisfied, e^-1 - e^-4 tolerate,
-- and the index is 0.63212 + 0.34956 / 2 = 0.8069.
-- Each half of the users waits so long and no longer: their success is one of the two shares. Who
-- has gone is served all the same. The specification's tolerance is 0.003; four standard errors of
-- shares of correlated times are as much at 4e5 customers.
local n = param("customers", 4e5)
local q = use "./_queue.lua"

scenario "Apdex of an M/M/1 queue" { duration = q.duration(n, 0.5) }

local server = service "server" {
  concurrency = 1, queue = { max = "unbounded" }, service_time = q.exp(1),
}
local function half(name, patience)
  return traffic(name) {
    to = server, rate = q.rate(0.25), timeout = q.time(patience), beside = true,
  }
end
local strict, patient = half("strict", 2), half("patient", 8)

expect "so many are satisfied" { at_end = strict.success.ratio:between(0.62912, 0.63512) }
expect "so many are satisfied or tolerate" {
  at_end = patient.success.ratio:between(0.97868, 0.98468),
}
