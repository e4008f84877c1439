scenario "A port that is said" { duration = "2s" }
local api = process "api" { run = { "{{scenario.dir}}/server", "{{port}}" }, listens = 28473 }
local there = probe "there" { of = api, tcp = true, every = "200ms" }
expect "it is there" { at_end = there.up:at_least(1) }
