-- Of a leader whose power goes, answers are on their way: what they acknowledge is in the logs of
-- all in sync, and who leads next has it. Where nobody else has a log, what was not flushed is lost.
local how = param("how", { "transaction", "all", "alone" })

scenario "What was acknowledged is judged by who leads next" { duration = "40s", warmup = "1s" }

local kafka = broker "kafka" { nodes = 3 }
local copies = how == "alone" and 1 or 3
local pay = topic "pay" {
  on = kafka, partitions = 1, replication = copies, min_isr = copies == 3 and 2 or 1,
}
traffic "one" {
  to = pay, rate = "1000/s", timeout = "1s", overall_timeout = "10s",
  transactional_id = how == "transaction" and "one" or nil,
  retries = how ~= "transaction" and 5 or nil,
}
consumers "readers" { of = pay, isolation = "read_committed", work = "10us" }

fault.down { kafka.node[1], at = "20s", lasting = "10s" }

if how == "alone" then
  expect "what was not flushed is gone" { at_end = pay.lost_acks:above(100) }
else
  expect "nothing is lost" { at_end = pay.lost_acks:equals(0) }
  expect "nor missing in its log" { log_intact = pay }
end
