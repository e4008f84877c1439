scenario "An object store with a quorum" { duration = "10s" }

store "bucket" { kind = "object", quorum = { n = 3, w = 2, r = 2 } }
