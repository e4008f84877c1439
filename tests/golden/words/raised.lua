-- What a script raises itself is shown with the values on its line.
scenario "x" { duration = "5m" }
local function check_nodes(n, what)
  if n > 3 then error("too many nodes") end
  return { what = what, n = n, { 1, 2, { 3 } } }
end
local made = check_nodes(2, "a text that is longer than forty characters in all")
local wrong = made.what .. made
