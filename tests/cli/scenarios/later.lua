scenario "A pipeline is out" { duration = "1m" }
local log = service "log" {}
fault.pipeline_outage { log, at = "30s" }
fault.registry_outage { log, at = "40s" }
