-- A word that does not exist.
scenario "Wrong" { duration = "10s" }
servce "web" { replicas = 1 }
