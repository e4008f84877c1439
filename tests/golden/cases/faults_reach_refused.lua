scenario "A backup fault where nobody keeps backups" { duration = "10s" }
local bucket = store "bucket" {}
database "db" { backup = { full = "5s" } }
fault.backup_fail { bucket, at = "1s" }
