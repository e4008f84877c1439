scenario "A pattern bomb in the run" { duration = "10s" }
drive("operator", function()
  local found = (("a"):rep(64)):find(("a?"):rep(64) .. ("a"):rep(64) .. "b")
  log("%s", found)
end)
