-- What code that runs while the world does may not do, each told at its line.
local way = param("way", {
  "past", "declares", "expects", "waits in gsub", "sleeps in sort", "misspelt duration",
  "acts in a check", "marks in a check", "asks for what is not measured", "never ends",
  "asks late", "waits for what is not measured",
})

scenario "Code that goes wrong is told so" { duration = "10s" }

local db = service "db" { replicas = 2, service_time = "1ms" }
local web = service "web" {
  handle = {
    ["GET /"] = function(req)
      if way == "waits in gsub" then
        local _, why = pcall(string.gsub, "ab", "%w", function() req:call { db, "get" } end)
        error(why, 0)
      end
      req:call { db, "get" }
      return 200
    end,
  },
}
local users = traffic "users" { to = web, op = "GET /", rate = "10/s" }

drive("driver", function()
  sleep "5s"
  if way == "past" then fault.pause { db, pick = 1, at = "1s", lasting = "1s" } end
  if way == "declares" then service "more" { service_time = "1ms" } end
  if way == "expects" then expect "too late" { always = users.success.ratio:below "50%" } end
  if way == "sleeps in sort" then
    local _, why = pcall(table.sort, { 2, 1 }, function(a, b) sleep "1s" return a < b end)
    error(why, 0)
  end
  if way == "asks late" then log("%s", db.replica[2].rate:value()) end
  if way == "waits for what is not measured" then wait_until(db.replica[2].rate:above "1/s") end
  if way == "misspelt duration" then local _ = dur "5 parsecs" end
end)

check("looks at what has been", function(w)
  if way == "acts in a check" then fault.kill { db, pick = 1 } end
  if way == "marks in a check" then mark "here" end
  if way == "asks for what is not measured" then return w:value(amplification(users, db)) == 1 end
  while way == "never ends" do end
  return true
end)
