-- When requests come, wrong in every way that is known.
scenario "Nobody comes like this" { duration = "10m" }
local web = service "web" {}
traffic "zero over" { to = web, rate = shape.ramp { from = "1/s", to = "9/s", over = "0s" } }
traffic "below zero" { to = web, rate = shape.sine { mean = "1/s", amplitude = "2/s", period = "1m" } }
traffic "no period" { to = web, rate = shape.sine { mean = "2/s", amplitude = "1/s", period = "0s" } }
traffic "all burst" { to = web,
  rate = shape.burst { base = "1/s", peak = "9/s", every = "1m", lasting = "1m" } }
traffic "no burst" { to = web,
  rate = shape.burst { base = "1/s", peak = "9/s", every = "1m", lasting = "0s" } }
traffic "too much" { to = web, rate = shape.constant "2000M/s" }
traffic "too much later" { to = web, rate = shape.ramp { from = "1/s", to = "5000M/s", over = "1m" } }
traffic "too high a crest" { to = web,
  rate = shape.sine { mean = "900M/s", amplitude = "900M/s", period = "1m" } }
traffic "back in time" { to = web, rate = shape.steps { { "2m", "1/s" }, { "1m", "2/s" } } }
traffic "no file" { to = web, rate = shape.replay "nothing.csv" }
traffic "outside" { to = web, rate = shape.replay "../../../../../../../../etc/passwd" }
traffic "no name" { to = web, rate = shape.replay(5) }
traffic "words" { to = web, rate = shape.replay "modules/words.csv" }
traffic "heading" { to = web, rate = shape.replay "modules/heading.csv" }
traffic "negative" { to = web, rate = shape.replay "modules/negative.csv" }
traffic "huge" { to = web, rate = shape.replay "modules/huge.csv" }
traffic "much" { to = web, rate = shape.replay "modules/much.csv" }
traffic "right" { to = web, rate = shape.replay "modules/right.csv" }
traffic "closed and open" { to = web, arrivals = "closed", users = 5, rate = "1/s" }
traffic "closed and batched" { to = web, arrivals = "closed", users = 5, batch = 2 }
traffic "closed and gone" { to = web, arrivals = "closed", users = 5, session = { requests = 3 } }
traffic "nobody" { to = web, arrivals = "closed", users = 0 }
traffic "thinkers" { to = web, rate = "1/s", think = "1s" }
traffic "two gaps" { to = web, rate = "1/s", gaps = "1s" }
traffic "two ways" { to = web, gaps = "1s", arrivals = "poisson" }
traffic "no gaps and no rate" { to = web }
traffic "both ends" { to = web, rate = "1/s", session = { requests = 5, leave = "10%" } }
traffic "no end" { to = web, rate = "1/s", session = {} }
traffic "never" { to = web, rate = "1/s", session = { leave = 0 } }
traffic "no requests" { to = web, rate = "1/s", session = { requests = 0 } }
traffic "no batch" { to = web, rate = "1/s", batch = 0 }
