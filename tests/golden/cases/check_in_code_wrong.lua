-- What is no answer, and what goes wrong while one is looked for.
local way = param("way", { "nothing", "text", "sleeps", "breaks", "no metric", "no word" })
scenario "Checks that are none" { duration = "10s" }
local web = service "web" {}
traffic "users" { to = web, rate = "20/s" }
local total
check("all is well", function(w)
  if way == "text" then return "yes" end
  if way == "sleeps" then sleep "1s" end
  if way == "breaks" then return total + 1 > 0 end
  if way == "no metric" then return w:value(web) > 0 end
  if way == "no word" then return w:mean(web.latency) > 0 end
end)
