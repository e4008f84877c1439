local M = {}

function M.web(options)
  return service "web" {
    replicas = options.replicas,
  }
end

return M
