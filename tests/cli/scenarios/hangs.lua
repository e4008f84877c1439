-- A pattern that takes longer than anyone lives: no instruction is counted meanwhile.
scenario "Hangs" { duration = "10s" }
local n = 64
local found = (("a"):rep(n)):find(("a?"):rep(n) .. ("a"):rep(n) .. "b")
service "web" { replicas = found and 1 or 2 }
