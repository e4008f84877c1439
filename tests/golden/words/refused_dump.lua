-- What a library lacks here says why.
scenario "Bytes" { duration = "1m" }
local bytes = string.dump(function() end)
