scenario "x" { duration = "5m" }
drive("operator", function()
  if true then
    sleep "30s"
end)
