-- What the queueing rows have in common: one unit of time is a mean service time, 10 ms here.
local M = {}

local UNIT = 0.01 -- seconds

--- `x` units of time, as a duration.
function M.time(x) return ("%.0fns"):format(x * UNIT * 1e9) end

--- `x` per unit of time, as a rate.
function M.rate(x) return ("%.12g/s"):format(x / UNIT) end

--- How long a run is in which so many customers come, `rate` per unit of time.
function M.duration(customers, rate)
  return ("%ds"):format(math.ceil(customers / rate * UNIT))
end

--- Two exponentials with balanced means, squared coefficient of variation c2, mean `mean` units.
function M.h2(c2, mean)
  local p = 0.5 * (1 + math.sqrt((c2 - 1) / (c2 + 1)))
  return dist.hyperexponential { { p, M.time(mean / (2 * p)) },
    { 1 - p, M.time(mean / (2 * (1 - p))) } }
end

function M.exp(mean) return dist.exponential { mean = M.time(mean) } end

function M.erlang(k, mean) return dist.gamma { mean = M.time(mean), shape = k } end

function M.constant(mean) return dist.constant(M.time(mean)) end

--- The metric lies within a share of what is wanted, in units of time; `plus` is added to both.
function M.near(metric, want, share, plus)
  local p = plus or 0
  return metric:between(("%.0fns"):format((want * UNIT * (1 - share) + p) * 1e9),
    ("%.0fns"):format((want * UNIT * (1 + share) + p) * 1e9))
end

--- The same of a count or a share.
function M.count_near(metric, want, share)
  return metric:between(want * (1 - share), want * (1 + share))
end

--- Four standard errors in a run of so many customers, from the one of a million customers.
function M.slack(error_of_million, customers)
  return 4 * error_of_million * math.sqrt(1e6 / customers)
end

return M
