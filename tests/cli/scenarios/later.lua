scenario "A broker elects a leader that is behind" { duration = "1m" }
local log = broker "log" { nodes = 3 }
fault.unclean_election { log, at = "30s" }
