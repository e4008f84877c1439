-- Operations by a program for each: what has no HTTP, such as redis-cli or psql, is used so.
scenario "What was written is read, by commands" { duration = "1500ms" }

local files = cache "files" {
  entries = 100,
  live = { run = { "sleep", "600" }, ready = { command = { "true" } } },
}
local few = dist.zipf { n = 3, skew = 0.5 }
traffic "writers" {
  to = files, op = "set", keys = few, arrivals = "closed", users = 2, think = "20ms",
  timeout = "10s",
  live = { command = { "sh", "-c",
    "cd {{files.dir}} && echo {{value}} >{{key}}.$$ && mv {{key}}.$$ {{key}}" } },
}
traffic "readers" {
  to = files, op = "get", keys = few, arrivals = "closed", users = 2, think = "20ms",
  timeout = "10s",
  live = { command = { "sh", "-c", "cat {{files.dir}}/{{key}} 2>/dev/null || true" } },
}

expect "its keys behave as one copy" { linearizable = files }
