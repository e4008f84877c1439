-- What a library lacks here says why.
scenario "Seeds" { duration = "1m" }
math.randomseed(3)
