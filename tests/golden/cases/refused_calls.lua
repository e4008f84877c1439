-- What only the world can refuse: each row is one mistake, said at its block.
local rows = {
  { fields = { weights = { 1, 2 } } },
  { fields = { balance = "power_of_two", choices = 17 } },
  { fields = { choices = 3 } },
  { fields = { balance = "maglev", table_size = 65536 } },
  { fields = { balance = "ring_hash", virtual_nodes = 4000000 } },
  { fields = { subset = 4 } },
  { fields = { load_bound = "25%" } },
  { fields = { overprovisioning = 2 } },
  { fields = { retries = 1001 } },
  { fields = { backoff = "20s", backoff_max = "10s" } },
  { fields = { backoff = "36500d" } },
  { fields = { retry_budget = { per_call = 1 } } },
  { fields = { retry_budget = { tokens = 3, cost = 5 } } },
  { fields = { breaker = { calls = 100, over = "10s" } } },
  { fields = { breaker = { calls = 10, volume = 20 } } },
  { fields = { breaker = { consecutive = 3, volume = 20 } } },
  { fields = { throttle = { k = 0.5 } } },
  { fields = { hedge = { after = "10ms", attempts = 6 } } },
  { fields = { hedge = { after = "2s" }, timeout = "1s" } },
  { fields = { outliers = { ejection = "60s", ejection_max = "30s" } } },
  { fields = { slow_start = { window = "30s" }, balance = "maglev" } },
  { fields = { weights = { 1 } }, db = true },
  { fields = { enough = 2 }, call = true },
  { fields = { fan_out = 20000 }, call = true },
  { fields = { fan_out = 4, enough = 5 }, call = true },
  { fields = { single_flight = true, "put x" }, call = true, db = true },
}
local numbers = {}
for i = 1, #rows do numbers[i] = i end
local row = rows[param("row", numbers)]

scenario "refused calls" { duration = "10s" }
local web = service "web" { replicas = 3 }
local db = database "db" { nodes = 1 }
local fields = row.fields
fields.to, fields.rate = row.db and db or web, "1/s"
if row.call then
  fields = { row.db and db or web, row.fields[1], fan_out = row.fields.fan_out,
    enough = row.fields.enough, single_flight = row.fields.single_flight }
  service "app" { calls = { call(fields) } }
else
  traffic "users"(fields)
end
