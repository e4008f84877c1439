local wrong = param("wrong", { "disk_full", "lost_write", "disk_corrupt" })
scenario "What a disk fault needs of a cache" { duration = "10s" }
local plain = cache "plain" { entries = 10 }
local kept = cache "kept" { entries = 10, persistence = { save = "5s" } }
traffic "users" { to = plain, rate = "1/s" }
traffic "others" { to = kept, rate = "1/s" }
if wrong == "disk_full" then fault.disk_full { plain, at = "1s" } end
if wrong == "lost_write" then fault.lost_write { plain, at = "1s" } end
if wrong == "disk_corrupt" then fault.disk_corrupt { kept, ratio = "10%", at = "1s" } end
expect "it is used" { sometimes = plain.entries:at_least(0) }
