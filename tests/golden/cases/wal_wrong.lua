local wrong = param("wrong", { "no checkpoint", "no slots", "no copy.after" })
scenario "What keeping the log needs" { duration = "10s" }
database "db" {
  nodes = 2, checkpoint = wrong ~= "no checkpoint" and {} or nil,
  wal = wrong == "no slots" and { max_slot_wal_keep_size = "1GB" }
    or wrong == "no copy.after" and { copy = { size = "1GB" } } or { slots = true },
}
