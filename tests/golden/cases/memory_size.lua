-- Memory is taken as a share of the limit or as so many bytes, as StressChaos says it ("256MB"): of
-- 512 MiB 200 are used. What does not fit ends the process; both at once are refused, and neither.
local how = param("how", { "fits", "too much", "ramp", "share", "both", "neither", "bare" })
scenario "Memory is taken by size" { duration = "30s", warmup = "1s" }
local web = service "web" { memory = { limit = "512MiB", base = "200MiB" } }
traffic "users" { to = web, rate = "10/s" }
local what = {
  fits = { size = "256MB" }, ["too much"] = { size = "400MB" },
  ramp = { size = "400MB", ramp = "10s" }, share = { fill = "50%" },
  both = { size = "1MB", fill = "50%" }, neither = {}, bare = { size = 256 },
}
fault.memory { web, at = "10s", lasting = "10s", size = what[how].size, fill = what[how].fill,
               ramp = what[how].ramp }
local dies = how == "too much" or how == "ramp"
expect "it is killed or not" { at_end = web.restarts:between(dies and 1 or 0, dies and 99 or 0.5) }
expect "as much is gone" {
  sometimes = web.memory:between(how == "fits" and "465MB" or "1MB", how == "fits" and "467MB" or "1GB")
}
