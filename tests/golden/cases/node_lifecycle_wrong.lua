-- A control plane of a region that does not look after its nodes must be refused, with the way out.
scenario "A control plane without nodes" { duration = "1m" }

local eu = region "eu" { zones = { "a", "b" } }
service "apiserver" { spread = eu, control_plane_of = eu }
