-- As "How S3 Versioning works" tells it, word for word: ids, markers, suspension, the lifecycle of
-- current, older and unfinished.
scenario "A bucket keeps what was there before" { duration = "70s" }

local bucket = store "bucket" { versioning = "enabled" }
local plain = store "plain" {}
local logs = store "logs" {
  versioning = "enabled",
  lifecycle = { expiration = "20s", noncurrent = "15s", keep_noncurrent = 1, every = "10s" },
}
local films = store "films" {
  part_size = "8MiB", prefixes = 1, lifecycle = { abort_uploads = "25s", every = "10s" },
}

local function check_that(what, ok) if not ok then error(what) end end

local web = service "web" {
  handle = {
    ["GET /versions"] = function(req)
      local function ask(op, more)
        local body = { bucket, op, key = "a" }
        for k, v in pairs(more or {}) do body[k] = v end
        return req:call(body)
      end
      local one = ask("put", { value = "one" })
      local two = ask("put", { value = "two" })
      check_that("each write has an id of its own", one.version and one.version ~= two.version)
      check_that("the newest is current", ask("get").value == "two")
      check_that("the other is there", ask("get", { version = one.version }).value == "one")
      check_that("an id that never was", ask("get", { version = 99999 }).status == 404)

      local marker = ask("delete")
      check_that("a delete is a marker", marker.ok and marker.version)
      check_that("what is deleted is gone", ask("get").status == 404)
      check_that("a marker is no object", ask("get", { version = marker.version }).status == 405)
      check_that("all are listed", #ask("versions").values == 3)
      check_that("a condition sees nothing", ask("put_if_match", { match = "two",
        value = "x" }).status == 412)

      ask("delete", { version = marker.version })
      check_that("without its marker it is back", ask("get").value == "two")
      check_that("and conditions see it", ask("put_if_absent", { value = "x" }).status == 412)
      check_that("as what it is", ask("put_if_match", { match = "two", value = "three" }).ok)
      local back = ask("restore", { version = one.version })
      check_that("a restore copies to the top", back.ok and ask("get").value == "one")
      check_that("under a new id", ask("versions").values[1] == back.version)
      ask("delete", { version = two.version })
      check_that("by its id it goes for good", ask("get", { version = two.version }).status == 404)
      check_that("three are left", ask("versions").value == 3)
      return 200
    end,
    -- Written before versions are kept, while they are, and when they are suspended.
    ["GET /suspended"] = function(req)
      local function ask(op, more)
        local body = { plain, op, key = "b" }
        for k, v in pairs(more or {}) do body[k] = v end
        return req:call(body)
      end
      ask("put", { value = "old" })
      req:sleep "5s"                                     -- enabled at 3 s, suspended at 9 s
      local kept = ask("put", { value = "kept" })
      check_that("what was there has the id null", ask("get", { version = "null" }).value == "old")
      req:sleep "6s"
      check_that("null is written over", ask("put", { value = "new" }).version == "null")
      check_that("once", ask("versions").value == 2)
      check_that("what has an id stays", ask("get", { version = kept.version }).value == "kept")
      check_that("the marker is null", ask("delete").version == "null")
      check_that("and took its place", ask("versions").value == 2)
      check_that("nothing is current", ask("get").status == 404)
      return 200
    end,
    ["GET /logs"] = function(req)
      for i = 1, 4 do req:call { logs, "put", key = "c", value = i } end
      return 200
    end,
    ["PUT /film"] = function(req)
      req:call { films, "put", key = "film", value_size = "400MiB", timeout = "500ms",
        cancel = true }
      return 200
    end,
  },
}

local once = shape.steps { { "0s", "1/s" }, { "1.5s", "0/s" } }
for _, what in ipairs { "GET /versions", "GET /suspended", "GET /logs", "PUT /film" } do
  traffic(what) { to = web, op = what, rate = once, arrivals = "constant", timeout = "20s" }
end

drive("owner", function()
  sleep "3s"
  plain:versioning "enabled"
  sleep "6s"
  plain:versioning "suspended"
  local ok, why = plain:versioning "off"
  log("%s %s", ok, why)
end)

expect "it is as S3 says" { at_end = web.errors.ratio:equals "0%" }
-- Written at 1 s, three became older then: two of them go at 20 s, one may stay. The current one gets
-- its marker at 30 s, which leaves that and the one below it; nothing is current then.
expect "older versions go, but for one" {
  always = logs.versions:equals(1), during = { after = "21s", lasting = "8s" },
}
expect "the object goes later, and stays as a version" { at_end = logs.items:equals(0) }
expect "what went is counted" { at_end = logs.expired:equals(4) }
expect "an upload that was left takes room" {
  always = films.size:at_least "8MiB", during = { after = "3s", lasting = "26s" },
}
expect "until it is aborted" { at_end = films.size:equals "0B" }
expect "nothing was ever an object" { never = films.items:above(0) }
