-- Declares, and returns nothing.
local web = service "silent" {}
