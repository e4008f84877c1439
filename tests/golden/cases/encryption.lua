-- Encryption costs a page's time, and what is wrong with it waits for a restart or a failover: a key
-- that has expired, a standby that trusts another authority, one that speaks no TLS when it comes to
-- lead, certificates that nobody has renewed.
local what = param("what", { "nothing", "key", "wrong_ca", "plaintext", "expired" })
scenario "What is wrong with keys shows later" { duration = "60s", warmup = "2s" }

local db = database "db" {
    nodes = 3, replication = "sync", query_time = "1ms",
    failover = { detect = "2s", promote = "1s" },
    encryption = {
        at_rest = true, rate = "8.192MB/s", key_valid_for = what == "key" and "10s" or nil,
        in_transit = {
            wrong_ca = what == "wrong_ca" and { 2, 3 } or nil,
            plaintext = what == "plaintext" and { 2 } or nil,
            valid_for = what == "expired" and "15s" or nil,
        },
    },
}
local users = traffic "users" { to = db, op = "write x", rate = "20/s", timeout = "1s",
    beside = true }
fault.kill { db.node[1], at = "20s", lasting = "5s" }

if what == "wrong_ca" then
    expect "nobody confirms anything, until one leads whom a standby trusts" {
        always = users.success.ratio:below "1%", during = { after = "2s", lasting = "20s" },
    }
else
    expect "all is well before" {
        always = users.success.ratio:above "99%", during = { after = "2s", lasting = "17s" },
    }
end
if what == "nothing" or what == "key" then
    expect "and after" {
        always = users.success.ratio:above "99%", during = { after = "30s", lasting = "29s" },
    }
elseif what ~= "wrong_ca" then
    expect "after it the new primary is alone" {
        always = users.success.ratio:below "1%", during = { after = "30s", lasting = "29s" },
    }
end
expect "a page takes a millisecond" { at_end = db.latency.p50:at_least "2ms" }
expect "who cannot open its data stays out" {
    at_end = db.locked:equals(what == "key" and 1 or 0),
}
local refused = what ~= "nothing" and what ~= "key"
expect "and who is refused is counted" {
    at_end = refused and db.handshakes.refused:above(0) or db.handshakes.refused:equals(0),
}
