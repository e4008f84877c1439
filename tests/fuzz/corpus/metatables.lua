scenario "x" { duration = "1m" }
local t = setmetatable({}, { __index = function(_, k) return k end, __call = function(t) return t end,
  __tostring = function() error("no") end, __len = function() return 5 end, __name = "x" })
local web = service "web" { replicas = t, [t] = 1, [1.5] = 2, [true] = 3, service_time = t.x }
local a = web.latency[t]
web[t] = 5
fault.kill { t, at = t }
expect "e" { always = t, after = t, during = { t } }
local ok = pcall(function() return web.nothing.at.all end)
getmetatable("").__index = 1
