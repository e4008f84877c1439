scenario "x" { duration = "5m" }
local function check_nodes(n)
  if n > 3 then error("too many nodes") end
end
check_nodes(5)
