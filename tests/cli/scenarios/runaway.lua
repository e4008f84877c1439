-- The top level never gives time back.
scenario "Runs away" { duration = "10s" }
while true do end
