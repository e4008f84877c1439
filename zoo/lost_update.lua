-- Each request reads a value, thinks, and writes another made of it. Two that do so at once both
-- start from the same one, and one of them is lost. Repaired, they take turns by a lock.
--
-- Berenson et al., "A critique of ANSI SQL isolation levels" (SIGMOD 1995), P4.
scenario "No update is lost" {
  about = "Broken: read, then write. Repaired: the same under a lock.",
  tags = { "zoo" }, duration = "30s", warmup = "2s", seeds = 20,
}

local form = param("form", { "broken", "repaired" })

local etcd = consensus "etcd" { nodes = 3 }

local function update(req, key)
  local got = req:call { etcd, "get", key = key, timeout = "2s" }
  if not got.ok then return 500 end
  req:sleep "3ms"
  local put = req:call { etcd, "put", key = key, timeout = "2s" }
  return put.ok and 200 or 500
end

local stock = service "stock" {
  replicas = 3,
  handle = {
    ["POST /"] = function(req)
      local key = math.floor(3 * rand())
      if form == "broken" then return update(req, key) end
      for _ = 1, 400 do
        if req:call { etcd, "create", key = 100 + key, value = req.key, timeout = "2s" }.ok then
          local status = update(req, key)
          req:call { etcd, "delete", key = 100 + key, timeout = "2s", retries = 3 }
          return status
        end
        req:sleep "20ms"
      end
      return 503
    end,
  },
}
traffic "orders" { to = stock, op = "POST /", rate = "20/s", timeout = "20s" }

expect "what is written was made of what was there" { serializable = etcd }
