--- What `explain` says of the words of `expect` that are about histories.
return {
    linearizable = { is_verdict = true,
        text = "Passes when what all clients did and saw could have happened one after the other, "
        .. "each key being one copy and each operation taking effect between its beginning and its "
        .. "end. Calls are recorded from the clients' side; a write that says no `value` gets one "
        .. "of its own. `lorenz run -o history=FILE` writes them down for verify-history.",
        example = [[expect "no read is old" { linearizable = db }]] },
    serializable = { is_verdict = true,
        text = "Passes when its transactions could have happened one after another, in any "
        .. "order: no lost update, no write skew. A transaction is a req:transaction or a "
        .. "statement of SQL by itself; outside of these what one request of a handler read and "
        .. "wrote. Those that only tx:append and tx:read are judged as lists, others as registers; "
        .. "in SQL by cells, and a SELECT says what it read if its table's primary key is among "
        .. "its columns. The order in which the engine committed is told beside what clients saw, "
        .. "and names the cycle. `consistency` asks for a weaker level, by the names of "
        .. "verify-history.",
        example = [[
expect "no update is lost" { serializable = db }
expect "reads are snapshots" { serializable = db, consistency = "snapshot-isolation" }]] },
    conserved = { is_verdict = true,
        text = "Passes when all transactions that read every account see one total: money moves "
        .. "and is neither made nor lost. Accounts are the rows of a database, or with SQL those "
        .. "of one table (`column`), which a SELECT must name by their key (select id, balance "
        .. "...).",
        example = [[expect "no money is lost" { conserved = db }]] },
    counter = { is_verdict = true,
        text = "Passes when every read of a counter, and what each increment was told that it "
        .. "came to, lies between what was certainly added before it and what may have been by "
        .. "its end. Of a cache incr and decr add and get reads, of a store increment; of a "
        .. "service `adds` names the operations that add the value they carry (1, if none) and "
        .. "`reads` "
        .. "those whose handlers return it, `return 200, count`. Beside it is what versions "
        .. "of a cache or a store say; of a service nobody but its handlers knows. Which keys are "
        .. "counters is told by what adds to them: one that is also set cannot be judged.",
        example = [[
local likes = cache "likes" { entries = 1000, nodes = 2 }
local api = service "api" {
  handle = {
    ["POST /like"] = function(req)
      return req:call { likes, "incr", key = 1 }.ok and 200 or 503
    end,
    ["GET /likes"] = function(req) return 200, req:call { likes, "get", key = 1 }.value or 0 end,
  },
}
traffic "fans" { to = api, op = "POST /like", rate = "10/s" }
traffic "readers" { to = api, op = "GET /likes", rate = "10/s" }
expect "the cache counts" { counter = likes }
expect "so does who asks" { counter = api, adds = { "POST /like" }, reads = { "GET /likes" } }]] },
    set = { is_verdict = true,
        text = "Passes when all that was acknowledged as added, or seen once, is in some read "
        .. "that comes after, and nothing is read that nobody added. What is missing for a time "
        .. "and comes back is told, and allowed. Of a cache sadd adds and smembers reads; of a "
        .. "database tx:append adds and tx:read reads, each key a set; of a service `adds` and "
        .. "`reads` name the operations, and a read's handler returns one text, the elements with "
        .. "commas between. A request without a value is given one of its own, `req.value`.",
        example = [[
local db = database "orders" {}
local api = service "api" {
  handle = {
    ["POST /"] = function(req)
      return req:transaction({ db }, function(tx) tx:append(1, req.key) end).ok and 200 or 503
    end,
    ["GET /"] = function(req)
      return req:transaction({ db }, function(tx) return tx:read(1) end).ok and 200 or 503
    end,
  },
}
traffic "shop" { to = api, op = "POST /", rate = "10/s" }
traffic "kitchen" { to = api, op = "GET /", rate = "10/s" }
expect "no order is gone" { set = db }]] },
    unique_ids = { is_verdict = true,
        text = "Passes when no id is given twice. Of a cache or a store an id is what increments "
        .. "answer, of keys that nothing is taken from, each key a sequence of its own; of a "
        .. "service what the handlers of the operations in `generates` return beside the status. "
        .. "Beside it stands what the servers gave out, heard or not.",
        example = [[
local redis = cache "sequence" { entries = 10 }
local ids = service "ids" {
  handle = {
    ["POST /id"] = function(req)
      local id = req:call { redis, "incr", key = 1 }
      if not id.ok then return 503 end
      return 200, id.value
    end,
  },
}
traffic "users" { to = ids, op = "POST /id", rate = "10/s" }
expect "no two have one" { unique_ids = ids, generates = { "POST /id" } }]] },
    log_intact = { is_verdict = true,
        text = "Passes when readers of a topic find each acknowledged record at the offset its "
        .. "producer was told, none of them twice, in their producer's order, and nothing else. "
        .. "What nobody has read yet the broker's own account decides: it is told beside, and must "
        .. "not contradict what readers saw. Producers that are not idempotent write duplicates, "
        .. "and with several requests in flight in another order, and who reads uncommitted "
        .. "records is given aborted ones: `tolerates` allows these.",
        example = [[
local kafka = broker "kafka" { nodes = 3 }
local orders = topic "orders" { on = kafka, replication = 3, min_isr = 2 }
consumers "workers" { of = orders }
traffic "shop" { to = orders, rate = "100/s" }
expect "no order is lost" { log_intact = orders }]] },
    mutual_exclusion = { is_verdict = true,
        text = "Passes when no lock is held by two at once: acquire and release, as their clients "
        .. "saw them. A lease that ran out while its holder did not know is a violation.",
        example = [[
local etcd = consensus "etcd" { nodes = 3 }
expect "one at a time" { mutual_exclusion = etcd }]] },
    fenced = { is_verdict = true,
        text = "Passes when what a lock protects accepts no write with an older token after one "
        .. "with a newer (Kleppmann, \"How to do distributed locking\"). A grant, acquire of a "
        .. "consensus or setnx of a cache, answers `token`, which grows from grant to grant, also "
        .. "when a lease has run out, and of a cache even when a failover loses what was set, "
        .. "which Redis itself does not give; of a consensus whose disks lied and lost their "
        .. "power it may be lower again. A write shows it, `token = lock.token`. A database, "
        .. "cache or store refuses one that is lower than the highest it was shown for the key: "
        .. "status 412, `value` is that highest, counted in `stale_tokens`. All nodes know that "
        .. "highest at once, and none loses it, where a real one's would with the record that "
        .. "carries it: of a cache, or a database that is neither \"raft\" nor \"sync\", this is "
        .. "inconclusive once another node refuses than the one that was shown the highest; of a "
        .. "store with w = 1 a real one may take what is refused here. One "
        .. "with checks_tokens = false accepts it, and this fails; without a write that has a "
        .. "token it is inconclusive. A write that the same holder makes twice has the same "
        .. "token, and is no stale one. A database with a schema is refused: there a statement "
        .. "checks the token itself.",
        example = [[
local etcd = consensus "etcd" { nodes = 3, lease = "3s" }
local files = store "files" { checks_tokens = false }
local app = service "app" { replicas = 2,
  handle = {
    ["POST /"] = function(req)
      local lock = req:call { etcd, "acquire", key = 1 }
      if not lock.ok then return 409 end
      req:sleep "500ms"
      return req:call { files, "put", key = "file", token = lock.token }.status
    end,
  },
}
traffic "users" { to = app, op = "POST /", rate = "1/s" }
expect "only who holds the lock writes" { fenced = files }]] },
    read_your_writes = { is_verdict = true,
        text = "Passes when nobody who wrote a value reads an older one afterwards. A session is a "
        .. "user of a closed loop, or a request of a handler.",
        example = [[expect "who has written reads it" { read_your_writes = db }]] },
    monotonic_reads = { is_verdict = true,
        text = "Passes when nobody reads a value and later an older one.",
        example = [[expect "reads do not go back" { monotonic_reads = db }]] },
    monotonic_writes = { is_verdict = true,
        text = "Passes when nobody sees the second of two writes of one client and later the "
        .. "first.",
        example = [[expect "writes keep their order" { monotonic_writes = db }]] },
    writes_follow_reads = { is_verdict = true,
        text = "Passes when nobody sees a write and later what is older than what its writer had "
        .. "read.",
        example = [[expect "an answer follows its question" { writes_follow_reads = db }]] },
    converges = { is_verdict = true,
        text = "Passes when all reads of a key after its last write see the same.",
        example = [[expect "all agree at last" { converges = db }]] },
}
