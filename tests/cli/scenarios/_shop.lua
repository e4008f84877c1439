-- What uses.lua uses.
local M = {}
function M.web(replicas) return service "web" { replicas = replicas } end
return M
