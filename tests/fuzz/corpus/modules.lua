scenario "x" { duration = "1m" }
local a = use "./a.lua"
local b = use "../../etc/passwd"
local c = use "/etc/passwd"
local d = use "./a.lua\0.txt"
local k = use "kubernetes"
k.deployment { "d", readiness = 5 }
a.web { replicas = 2, nonsense = a }
