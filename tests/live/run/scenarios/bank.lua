-- Transfers between ten accounts, and auditors that read all of them.
scenario "Money only moves" { duration = "1500ms" }

local mode = param("mode", { "good" })

local bank = database "bank" {
  live = {
    run      = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}", mode },
    protocol = "http",
    ready    = { http = "/health" },
  },
}
local payers = traffic "payers" {
  to = bank, op = "POST /transfer", arrivals = "closed", users = 3, think = "10ms", timeout = "20s",
}
local auditors = traffic "auditors" {
  to = bank, op = "GET /accounts", arrivals = "closed", users = 2, think = "20ms", timeout = "20s",
}

expect "the total stays" { conserved = bank }
check("auditors were answered, and nobody saw a p99 of ten seconds", function(w)
  local asked, p99 = w:value(auditors.rate) or 0, w:value(payers.latency.p99) or 0
  return asked > 0 and p99 < 10, ("%d reads a second, p99 %g s"):format(asked, p99)
end)
