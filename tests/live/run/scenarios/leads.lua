-- Two of which one leads: whose file says so. A keeper gives it to the other once that is gone.
scenario "Whoever leads is hit" { duration = "6s" }
local function node()
  return { run = { "{{scenario.dir}}/server", "{{port}}" },
           is_primary = { command = { "test", "-e", "{{dir}}/leads" }, every = "100ms" } }
end
local one, two = process "one" (node()), process "two" (node())
local db = database "db" { nodes = 2, live = { one, two } }
process "keeper" {
  connects = { one, two }, ready = { command = { "test", "-e", "{{one.dir}}/leads" } },
  run = { "sh", "-c", "touch {{one.dir}}/leads; while kill -0 $(cat {{dir}}/pid 2>/dev/null || "
    .. "pgrep -f '[s]erver {{one.direct_port}}' | tee {{dir}}/pid); do sleep 0.1; done; "
    .. "rm {{one.dir}}/leads; touch {{two.dir}}/leads; exec sleep 60" },
}
probe "there" { of = one, tcp = true, every = "200ms" }
fault.kill { db.primary, at = "1s" }
fault.kill { db.primary, at = "4s" }
expect "the first was hit" { sometimes = one.up:equals(0) }
expect "and then the other" { at_end = two.up:equals(0) }
