-- Modules: what is not there, what returns nothing, and what goes wrong inside one.
scenario "x" { duration = "10m" }
local a = use "kubernets"
local b = use "modules/shop.lua"
local c = use "./modules/absent.lua"
local d = use "./modules/silent.lua"
local e = use(5)
local shop = use "./modules/shop.lua"
local web = shop.web { replicas = "three" }
local k8s = use "kubernetes"
local pods = k8s.deployment { "pods", replica = 3 }
