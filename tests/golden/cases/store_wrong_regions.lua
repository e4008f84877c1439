-- A bucket in two regions that keeps versions: S3 has two buckets there.
scenario "Versions of copies" { duration = "1m" }
local near, far = region "near" {}, region "far" {}
local bucket = store "bucket" { kind = "object", regions = { near, far }, versioning = "enabled" }
traffic "users" { to = bucket, op = "put", rate = "20/s" }
expect "it answers" { at_end = bucket.errors.ratio:below "1%" }
