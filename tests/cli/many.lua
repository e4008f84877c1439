-- many.lua — sweep, shrink, compare and what else is about many runs, driven as people drive it.
--
--     lua5.4 tests/cli/many.lua path/to/lorenz tests/cli/scenarios
--
-- Rows are as in cli.lua.
local harness = dofile(arg[0]:match "^(.*/)" .. "harness.lua")

-- Wait for a child of $pid that has worked for longer than loading takes: a fifth of a second of
-- its own time, in hundredths. Twenty seconds at most: it may be gone before that.
local BUSY_CHILD = "n=0; child=; worked=0; "
    .. "until [ \"${worked:-0}\" -ge 20 ] || [ $((n += 1)) -gt 400 ]; do sleep 0.05; "
    .. "child=$(cut -d' ' -f1 /proc/$pid/task/$pid/children); "
    .. "worked=$(cut -d' ' -f14 /proc/$child/stat 2>/dev/null); done; "

-- A sanitizer's shadow does not fit into a limited address space.
local NO_SANITIZER = "test -z \"$ASAN_OPTIONS$UBSAN_OPTIONS\" || exit 77; "

-- $N is the program run by somebody who owns nothing here, if we are root.
local AS_NOBODY = "chmod 755 .; cp $L l; N=./l; test $(id -u) = 0 && chmod 777 . && "
    .. "N='setpriv --reuid=65534 --regid=65534 --clear-groups ./l'; "

local rows = {
    -- Runs.
    { "a run says how far it is where that is asked",
        "$L run s/passes.lua s/jitter.lua --progress counter >/dev/null", 0,
        err = { "lorenz: 1 of 2 runs, 0 failed", "lorenz: 2 of 2 runs, 0 failed" } },
    { "and not where it is not", "$L run s/passes.lua s/jitter.lua >/dev/null", 0,
        err = { "!lorenz: 1 of 2" } },
    { "--progress takes four words", "$L run --progress quick", 4,
        err = { 'expected auto, bar, counter or none, got "quick"' } },
    { "as many failing requests are kept as --traces says",
        [[printf '%s\n' 'scenario "s" { duration = "10s" }' 'local web = service "web" {}' ]]
        .. [['local u = traffic "u" { to = web, rate = "50/s" }' ]]
        .. [['fault.kill { web, at = "2s", lasting = "5s" }' ]]
        .. [['expect "e" { always = u.errors.ratio:below "1%" }' >k.lua; ]]
        .. "for n in 0 3 50; do $L run k.lua --traces $n >/dev/null; $L sql k-1 "
        .. "\"select 'kept ' || count(*) from request where kept_as = 'failed'\"; done", 0,
        out = { "kept 0", "kept 3", "kept 50" } },
    { "--traces takes a number", "$L run --traces all", 4,
        err = { 'expected a whole number, got "all"' } },
    { "--open shows the page of what failed",
        "printf '%s\\n' '#!/bin/sh' 'echo \"shown: $*\" >shown' >b; chmod +x b; "
        .. "BROWSER=./b $L run s/fails.lua --open >/dev/null; "
        .. "n=0; until [ -s shown ] || [ $((n += 1)) -gt 100 ]; do sleep 0.05; done; "
        .. "cat shown; head -c 15 .lorenz/report.html", 0,
        out = { "shown: .lorenz/report.html", "<!doctype html>" } },
    { "or says that there is no browser, and where the page is",
        "BROWSER=./none $L run s/fails.lua --open -o html=p.html >/dev/null", 1,
        err = { "no browser was found to open p.html" } },
    { "nothing is shown where nothing fails",
        "BROWSER=./none $L run s/passes.lua --open >/dev/null", 0, err = { "!browser" } },

    -- Sweeping.
    { "a sweep counts and says how sure that makes", "$L sweep s/chancy.lua --progress none", 1,
        width = 80, out = { "seeds 1 to 12", "1 distinct failure", "closest calls", "12 of 12" } },
    { "an expectation stands once among the closest calls", [[
cat >x.lua <<'END'
scenario "x" { duration = "5s" }
local web = service "web" {}
traffic "users" { to = web, rate = "9/s" }
expect "one is there" { always = web.replicas.up:at_least(1) }
expect "it is quick" { never = web.latency.p99:above "9s" }
END
$L sweep --seeds 4 --no-save x.lua >o; grep -c "one is there" o; grep -A9 closest o]], 0,
        out = { "1\n", "0 % spare  one is there", "spare  it is quick" } },
    { "a sweep without a failure is not sure of none", "$L sweep s/passes.lua --seeds 20", 0,
        out = { "below 14 %", "20 of 20 runs, 0 failed" } },
    { "failing seeds are saved, and run first",
        "$L sweep s/chancy.lua --progress none >t; cat s/seeds/chancy.seeds; "
        .. "$L sweep s/chancy.lua --seeds 1 --progress none", 1,
        out = { "# failing seeds of s/chancy.lua", "# p99 is fine", "still fail" } },
    { "an error that all runs meet is one seed",
        [[printf '%s\n' 'scenario "s" { duration = "1s" }' 'local web = service "web" {}' ]]
        .. [['drive("d", function() sleep "500ms" error("boom") end)' ]]
        .. [['expect "x" { at_end = web.rate:at_least "0/s" }' >e.lua; ]]
        .. "$L sweep e.lua --seeds 20 --progress none", 2,
        out = { "error[LZ502]: boom", "saved 1 seed to", "20 of 20 runs, 20 failed" } },
    { "a seed that failed in another order is saved with it, and fails in a plain run",
        "$L sweep s/overtakes.lua --order random --seeds 3 --no-shrink --progress none >t; "
        .. "cat s/seeds/overtakes.seeds; $L run -q s/overtakes.lua", 1,
        out = { "1 --order random@1ms  # a payment finds its order\n", "3 failed" } },
    { "what is declared beside it moves no message of another's",
        "cp s/overtakes.lua a.lua; "
        .. "sed '/^scenario/a service \"aaa\" { replicas = 9 }' a.lua >b.lua; "
        .. "for i in a b; do for o in random pct:1; do $L run -q $i.lua --order $o@9ms "
        .. "--seed 4 --keep none -o json=o; grep -o '\"actual\":\"[^\"]*\"' o; "
        .. "grep -o '\"payers.latency.mean\":[^,]*' o; done >>$i; done; "
        .. "grep -q payers a && cmp a b", 0 },
    { "so is one of a swarm, and all there is to look at it knows",
        "$L sweep s/swarm.lua --swarm --seeds 8 --no-shrink --progress none >t; "
        .. "cat s/seeds/swarm.seeds; $L run s/swarm.lua >o; sed -n 's/^ *again *//p' o; "
        .. "$L why -n 4 swarm-5 | tail -3; $L shrink swarm-5 | tail -3; $L run -q s/swarm.lua", 1,
        out = { "5 --swarm  # ", "--swarm --seed 5",
                "the draw fault/pause web/7000000000/0 whether the fault is left out #0 =",
                "the same with error_ratio of fault.degrade web passes",
                "3 failed, 1 inconclusive" } },
    { "who asks for another order still has the saved ones in theirs",
        "mkdir s/seeds; printf '2\\n2 --swarm\\n2 --order pct:2@1ms\\n' >s/seeds/passes.seeds; "
        .. "$L run s/passes.lua -o ndjson=- | grep -c verdict; "
        .. "$L sweep s/passes.lua --seeds 1 --order random --progress none", 0,
        out = { "saved seeds: 0 of 3 still fail" } },
    { "a saved seed that is the run's own is not run twice",
        "mkdir s/seeds; printf '1\\n2\\n1 --swarm\\n' >s/seeds/passes.seeds; "
        .. "$L run -q s/passes.lua", 0, out = { "3 passed" } },
    { "a manner that is none is told",
        "mkdir s/seeds; printf '2 --order sideways\\n3 --plain\\n' >s/seeds/passes.seeds; "
        .. "$L run -q s/passes.lua", 0,
        err = { "passes.seeds:1: skipped: what follows the case is not --swarm or --order HOW",
                "passes.seeds:2: skipped" } },
    { "the first seed of each failure is recorded",
        "$L sweep s/chancy.lua --progress none >t; ls .lorenz/runs", 0, out = { "chancy-" } },
    { "a seed of a case that is gone is told",
        "mkdir s/seeds; echo '7 retries=9' >s/seeds/passes.seeds; "
        .. "$L sweep s/passes.lua --seeds 1", 0,
        err = { "s/seeds/passes.seeds:1: skipped: there is no such case" } },
    { "a rate is decided, either way",
        "$L sweep s/chancy.lua --max-rate 1% --no-save --progress none; echo $?; "
        .. "$L sweep s/passes.lua --max-rate 20% --progress none; echo $?", 0,
        out = { "decided: above", "exit 1", "decided: below", "exit 0" } },
    { "too few seeds decide nothing", "$L sweep s/passes.lua --max-rate 1% --seeds 5", 3,
        out = { "undecided" } },
    { "a sweep is the same with one worker or four",
        "for j in 1 4; do $L sweep s/chancy.lua --no-save --keep none -j $j -o json=$j >t$j; done; "
        .. "cmp 1 4 && cmp t1 t4", 0 },
    { "no seeds are no sweep", "$L sweep s/passes.lua --seeds 0", 4, err = { "--seeds" } },
    { "a range that goes down is none", "$L sweep s/passes.lua --seeds 9..3", 4, err = { "9..3" } },
    { "a share is between 0 and 1", "$L sweep s/passes.lua --max-rate 120%", 4, err = { "120%" } },
    { "a scenario that does not load is not swept", "$L sweep s/wrong.lua", 2,
        err = { "s/wrong.lua does not load" } },

    -- Shrinking. Of the forty faults of _forty.lua it takes three to overflow a queue.
    { "three of forty faults are found in 150 runs",
        "$L run -q s/_forty.lua; $L shrink _forty-1 --runs 150 && cat s/min/_forty-1.lua "
        .. "&& $L run -q s/min/_forty-1.lua", 1,
        out = { "40 → 3 faults", "s/min/_forty-1.lua", "fault.kill { api, pick = 1",
                "fault.degrade { api, factor = 1.7", "!side1", "!about",
                'scenario "Orders get through while machines come and go" {\n' } },
    { "what shrinks is the same with one worker or four",
        "for j in 1 4; do $L shrink s/_forty.lua -j $j --runs 60 -o - >m$j; done; cmp m1 m4", 0 },
    { "it says what mattered", "$L shrink s/slow.lua --ascii", 0, ascii = true,
        out = { "s/min/slow-1.lua", "fails alike after",
                'the same with service_time of service web passes: "6ms" instead of "12ms"' } },
    { "what is left of a case runs without naming it",
        "cp s/cases.lua s/c.lua; $L shrink s/c.lua --case work=20ms >o && cat s/min/c-1.lua && "
        .. "$L run -q s/min/c-1.lua", 1,
        out = { 'param("work", { "20ms" })', "!xfail", "1 failed" } },
    { "so it does where the param stands in a field",
        "sed -e '/^local work/d' -e 's/service_time = work/service_time = param(\"work\", "
        .. "{ \"1ms\", \"5ms\", \"20ms\" })/' s/cases.lua >s/f.lua; "
        .. "$L shrink s/f.lua --case work=20ms >o && cat s/min/f-1.lua && "
        .. "$L run -q s/min/f-1.lua", 1,
        out = { 'param("work", { "20ms" })', "!xfail", "1 failed" } },
    { "a local without a value is no riddle",
        "sed 's/^local web/local put\\nif true then put = 1 end\\nlocal web/' s/slow.lua "
        .. ">s/l.lua; "
        .. "$L shrink s/l.lua && cat s/min/l-1.lua", 0,
        out = { "fails alike after", "!local put" } },
    { "a run that holds is not shrunk", "$L run -q s/passes.lua >o; $L shrink passes-1", 5,
        err = { "does not fail: the verdict is pass" } },
    { "a token is found among the scenarios",
        "mkdir t; cp s/fails.lua s/passes.lua t; t=$($L run t/fails.lua | grep -o 'lz1-.*'); "
        .. "$L shrink $t t", 0, out = { "t/min/fails-1.lua" } },
    { "a token of none of them is said to be so",
        "t=$($L run s/fails.lua | grep -o 'lz1-.*'); $L shrink $t s/passes.lua", 5,
        err = { "no scenario of that token fails" } },
    { "another expectation can be meant", "$L shrink s/fails.lua -e 'no such thing'", 5,
        err = { "does not fail in no such thing" } },
    { "what uses files still finds them", "touch lorenz.conf.lua; "
        .. "sed -i 's/equals(0)/above \"50%\"/' s/uses.lua; $L shrink s/uses.lua && "
        .. "cat s/min/uses-1.lua", 0, out = { 'use "../_shop.lua"' } },
    { "what cannot find them from there is put beside it",
        "sed -i 's/equals(0)/above \"50%\"/' s/uses.lua; $L shrink s/uses.lua; "
        .. "ls s/*.min.lua", 0, out = { "s/uses-1.min.lua" } },
    { "a run that is nowhere is usage", "$L shrink nowhere-1", 4,
        err = { 'there is no run "nowhere-1"', "`lorenz run` makes them" } },
    { "a damaged run file is usage", "echo x >bad.lzrun; $L shrink bad.lzrun", 4,
        err = { "bad.lzrun" } },
    { "something must be shrunk", "$L shrink", 4, err = { "name a run, a token or a scenario" } },
    { "a scenario that does not load is not shrunk", "$L shrink s/wrong.lua", 2,
        err = { "s/wrong.lua does not load" } },
    { "a sweep shrinks its first failure", "$L sweep s/fails.lua --seeds 2 --progress none", 1,
        out = { "shrinking A: s/min/fails-1.lua", "fails alike after" } },
    { "a sweep can leave it", "$L sweep s/fails.lua --seeds 2 --no-shrink --progress none; ls s", 0,
        out = { "!shrinking", "!min" } },

    -- Comparing. slow.lua takes 12 ms and must take 10; fast.lua takes 9.
    { "what is better is said, and the first event that differs",
        "sed s/12ms/9ms/ s/slow.lua >s/fast.lua; $L compare s/slow.lua s/fast.lua", 0, width = 80,
        out = { "better", "A  fails  worst 12ms", "B  holds  worst 9ms", "web.latency.p99",
                "the first event that differs", "second run" } },
    { "what is worse can fail the command", "sed s/12ms/9ms/ s/slow.lua >s/fast.lua; "
        .. "$L compare s/fast.lua s/slow.lua --seeds 8 --fail-on regress", 1,
        out = { "worse", "B  failed 8 of 8   8 worse, 0 better, p = 0.0078", "seeds 1 to 8",
                "  +31.5 to +35.1 %" }, width = 80 },
    { "what comes from nothing has changed by points, alike ends said once",
        "sed 's/\"12ms\"/\"12ms\", error_ratio = 1/' s/slow.lua >s/bad.lua; "
        .. "$L compare s/slow.lua s/bad.lua --seeds 3", 0,
        out = { "  +100 pp\n", "  -100 %\n" }, width = 80 },
    { "few seeds are no proof", "sed s/12ms/9ms/ s/slow.lua >s/fast.lua; "
        .. "$L compare s/fast.lua s/slow.lua --seeds 4 --fail-on regress", 0,
        out = { "p = 0.12", "!failed the command" } },
    { "what is equal is said to be", "$L compare s/slow.lua s/slow.lua --fail-on regress", 0,
        out = { "all events are equal", "!metrics differ" } },
    { "a recorded run is compared as it was", "$L run -q --seed 5 s/slow.lua; "
        .. "sed -i s/12ms/9ms/ s/slow.lua; $L compare slow-5 s/slow.lua", 0,
        out = { "seed 5", "better" } },
    { "cases are compared with their like", "$L compare s/cases.lua s/cases.lua -o json=-", 0,
        out = { '"case":"work=1ms"', '"case":"work=20ms"', '"regressed":false' } },
    { "two are compared", "$L compare s/slow.lua", 4, err = { "takes two runs or scenarios" } },
    { "what does not load is not compared", "$L compare s/slow.lua s/wrong.lua", 2,
        err = { "s/wrong.lua does not load" } },

    -- Why. In late.lua a request fails now and then: what decides is whether one draw for it is
    -- below 0.0005, of which there is one in the second that fails first.
    { "a failure is open until its cause", "$L run -q s/late.lua; $L why late-1 -n 12", 0,
        width = 80, out = { "another future from   fails", "bound to happen after",
            "decided at 16.6", "s by worked at web",
            "the draw users/998/users>web/1 whether it is an error #0 = 0.0004",
            "drawn anew by itself, all before it as it was: 1 of 12 fail" } },
    { "the draw is the one of the request that failed",
        "$L run -q s/late.lua; $L sql late-1 "
        .. "'select ordinal from request where status = 500 limit 1'; "
        .. "$L why late-1 -n 4 -o json=- | grep -o '\"draw\":{\"owner\":\"users/[0-9]*'", 0,
        out = { "\n998\n", "users/998" } },
    { "what a fault decides is put down to it, and to no other",
        "$L run -q s/two_faults.lua; $L why two_faults-1 -n 4", 0,
        out = { "bound to happen from the start", "!at 3s",
                "without latency web | db at 8s, line 9: 0 of 4 fail" } },
    { "a payment that overtook did so by its turn",
        "$L run -q s/overtakes.lua --order pct:2 --seed 5; $L why overtakes-5 -n 6", 0,
        out = { "decided at 1.0", "the draw order/", ">ledger order of messages #" } },
    { "what chance does not decide is said to be so", "$L run -q s/slow.lua; $L why slow-1 -n 4", 0,
        out = { "bound to happen from the start", "100 %" } },
    { "a curve is the same with one worker or four",
        "$L run -q s/late.lua; for j in 1 4; do $L why late-1 -n 4 -j $j -o json=w$j >t$j; done; "
        .. "cmp w1 w4 && cmp t1 t4", 0 },
    { "a run that held has no why", "$L run -q s/passes.lua; $L why passes-1", 5,
        err = { "nothing failed in" } },

    -- Parts of a sweep, run elsewhere.
    { "parts are the whole, whatever order they come in",
        "$L sweep s/chancy.lua --seeds 20 --blocks 3 --emit p >o; for i in 3 1 2; do "
        .. "LORENZ=$L p/block $i >>o 2>&1; done; $L report p -o json=m >t; "
        .. "$L sweep s/chancy.lua --seeds 20 --no-save --keep none --progress none -o json=w >u; "
        .. "cmp m w && cmp t u", 0 },
    { "a block that is there is not run again",
        "$L sweep s/passes.lua --seeds 4 --blocks 2 --emit p >o; LORENZ=$L p/block 1 >o; "
        .. "touch -d 2001-01-01 p/1.lzsweep; LORENZ=nowhere p/block 1 && LORENZ=nowhere p/block "
        .. "2", 127 },
    { "blocks know where Slurm and Kubernetes number them",
        "$L sweep s/passes.lua --seeds 4 --blocks 2 --emit p >o; export LORENZ=$L; "
        .. "SLURM_ARRAY_TASK_ID=2 p/block >o; JOB_COMPLETION_INDEX=0 p/block >o; ls p", 0,
        out = { "1.lzsweep", "2.lzsweep" } },
    { "a part that is missing is counted, and the status says so",
        "$L sweep s/passes.lua --seeds 9 --blocks 3 --emit p >o; for i in 1 3; do "
        .. "LORENZ=$L p/block $i >o; done; $L report p", 7,
        out = { "2 of 3 parts, 3 runs are missing", "6 of 9 runs" } },
    { "parts of different texts are refused",
        "$L sweep s/passes.lua --seeds 4 --blocks 2 --emit p >o; LORENZ=$L p/block 1 >o; "
        .. "echo '-- more' >>s/passes.lua; LORENZ=$L p/block 2 >o; $L report p", 4,
        err = { "p/2.lzsweep is of another text of a scenario" } },
    { "parts of different sweeps are refused",
        "$L sweep s/passes.lua --seeds 4 --shard 1/2 -o sweep=1.lzsweep >o; "
        .. "$L sweep s/passes.lua --seeds 6 --shard 2/2 -o sweep=2.lzsweep >o; "
        .. "$L report 1.lzsweep 2.lzsweep", 4, err = { "other seeds or another number of parts" } },
    { "saved seeds are counted beside the others, in a report too",
        "$L sweep s/chancy.lua --progress none >t; "
        .. "$L sweep s/chancy.lua --seeds 3 --no-shrink --progress none -o sweep=1.lzsweep >a; "
        .. "$L report 1.lzsweep >b; grep -h -E 'saved seeds| runs, ' a b | sort | uniq -c", 0,
        out = { "2 saved seeds: 4 of 4 still fail", "2 7 of 7 runs, 5 failed" } },
    { "a damaged part is refused", "echo x >1.lzsweep; $L report 1.lzsweep", 4,
        err = { "1.lzsweep" } },
    { "blocks need a folder", "$L sweep s/passes.lua --blocks 4", 4,
        err = { "--blocks N and --emit FOLDER go together" } },

    -- Faults of the runner itself.
    { "a worker that is killed costs its run, and is named",
        "$L sweep -j1 --timeout 5s --seeds 2 --no-shrink s/stuck.lua --no-save & pid=$!; "
        .. BUSY_CHILD .. "kill -9 $child; wait $pid", 70,
        out = { "crashed: SIGKILL", "the wall-clock limit was reached", "2 of 2 runs" } },
    { "a run that this machine ended is no seed to keep",
        "$L sweep -j1 --timeout 5s --seeds 2 --no-shrink --keep none s/stuck.lua & pid=$!; "
        .. BUSY_CHILD .. "kill -9 $child; wait $pid; s=$?; cat s/seeds/*; exit $s", 70,
        out = { "killed, or out of memory", "--timeout gives it more", "!commit it",
            "!# failing" } },
    { "a run file that finds no room is no verdict", "mkdir -p .lorenz/runs/fails-1.lzrun; "
        .. "$L sweep s/fails.lua --seeds 2 --no-shrink --progress none", 74,
        out = { "2 of 2 runs, 2 failed" }, err = { "fails-1.lzrun" } },
    { "a limit on memory is no defect of lorenz, and says what to do",
        "ulimit -v 400000; $L sweep s/passes.lua --seeds 2", 70, skip = NO_SANITIZER,
        err = { "gave it no more memory; fewer at once (-j 1) may fit", "!this is a bug" } },
    { "a full disk is no verdict", "$L sweep s/passes.lua --seeds 2 -o json=/dev/full", 74,
        out = { "2 of 2 runs, 0 failed" }, err = { "cannot write /dev/full" } },
    { "a folder that cannot be made is no verdict", "touch .lorenz; "
        .. "$L sweep s/fails.lua --seeds 2 --no-shrink --progress none", 74,
        out = { "2 of 2 runs, 2 failed" }, err = { ".lorenz" } },
    { "a run folder of somebody else is no verdict", AS_NOBODY
        .. "mkdir -p .lorenz/runs; chmod 555 .lorenz .lorenz/runs; $N run s/passes.lua; echo $?; "
        .. "$N sweep s/fails.lua --seeds 2 --no-shrink --progress none", 74,
        out = { "Everything holds", "1 passed", "exit 74\n74\n", "2 of 2 runs, 2 failed" },
        err = { ".lorenz/runs", "Permission denied" } },
    { "seeds that may not be written are no verdict", AS_NOBODY
        .. "chmod 555 s; $N sweep s/fails.lua --seeds 2 --no-shrink --progress none", 74,
        out = { "2 of 2 runs, 2 failed" }, err = { "s/seeds" } },
    { "what shrinks and may not be written is said so", AS_NOBODY
        .. "chmod 555 s; $N sweep s/fails.lua --seeds 1 --no-save --progress none", 74,
        out = { "shrinking A: what is left could not be written" }, err = { "s/min" } },
    { "a run that uses up its memory does not end the sweep",
        "$L sweep -j1 s/_hoard.lua s/passes.lua --seeds 1 --no-shrink --progress none", 7,
        out = { "2 of 2 runs", "s/passes.lua", "memory" } },
    { "two sweeps at once keep their seeds in whole lines",
        "$L sweep s/chancy.lua --seeds 12 --no-shrink >a 2>o & "
        .. "$L sweep s/chancy.lua --seeds 12 --no-shrink >b 2>o; wait; cmp a b; "
        .. "grep -vc '^[0-9]*  # p99 is fine$' s/seeds/chancy.seeds; "
        .. "$L sweep s/chancy.lua --seeds 1 --no-shrink", 1, out = { "saved seeds: " } },

    -- Searching: times that are drawn, and faults that are left out.
    { "a jittered time is another one for each seed, around the one that is asked for",
        "for s in 1 2 3 4 5 6; do $L run -q --seed $s s/jitter.lua >/dev/null; "
        .. "$L sql -f tabs jitter-$s 'select at_ns between 10e9 and 30e9, at_ns from fault' "
        .. "| tail -1; done >o; "
        .. "grep -c '^1' o; grep '^1.[12]' o | sort -u | wc -l", 0, out = { "6\n6\n" } },
    { "a jittered run is reproducible", "$L run --shake s/jitter.lua --seed 3", 0,
        out = { "1 passed" } },
    { "a time may not be drawn from outside of the run",
        "sed -i 's/20s ± 10s/20s ± 30s/' s/jitter.lua; $L check s/jitter.lua", 2,
        out = { "LZ107", "may come outside of the run: 20s ± 30s" } },
    { "a spread is a duration", "sed -i 's/± 10s/+- 10/' s/jitter.lua; $L check s/jitter.lua", 2,
        out = { "`at` of fault.kill: a duration needs a unit" } },
    { "a swarm finds what needs some of the faults, and its commands say so",
        "$L sweep s/_forty.lua --seeds 16 --swarm --no-shrink --progress none", 1,
        out = { "--swarm", "orders are answered", "!inconclusive" } },
    { "a swarm's failure shrinks",
        "$L sweep s/_forty.lua --seeds 16 --swarm --no-shrink -o json=w --progress none >o; "
        .. "seed=$(sed -n 's/.*\"first_seed\":\\([0-9]*\\),.*/\\1/p' w | tail -1); "
        .. "$L shrink s/_forty.lua --seed $seed --swarm --runs 80", 0,
        out = { "fails alike after", "→ 3 faults" } },

    -- Chaos. What a block brings is known before the run, and within its budget.
    { "a plan shows what a seed brings, and a run has it",
        "sed -i 's/, most = 12//' s/weather.lua; for i in 1 2 3; do $L plan s/weather.lua --seed "
        .. "$i | grep -c 'weather [0-9]*: fault' >>p; $L run -q s/weather.lua --seed $i >o; $L sql "
        .. "-f tabs weather-$i 'select count(*) from fault' | tail -1 >>r; done; cmp p r && "
        .. "sort -u p | wc -l", 0, out = { "!1" } },
    { "no budget is ever overdrawn",
        "for i in 1 2 3 4 5 6 7 8; do $L run -q s/weather.lua --seed $i >o; $L sql -f tabs "
        .. "weather-$i 'select max(n) from (select (select count(*) from fault b where b.at_ns <= "
        .. "a.at_ns and b.at_ns + 8e9 > a.at_ns) n from fault a)' | tail -1; done | sort -u; "
        .. "cat .lorenz/runs/*.lzrun | wc -c >o", 0, out = { "2\n", "!3" } },
    { "one fault of a set shifts no draw of another",
        "sed '/fault.degrade/d; s/together = 2/together = 1000/; s/most = 12/most = 1000/; "
        .. "s/targets = 2/targets = 99/; s/quiet = .5s./quiet = \"0s\"/; s/34%/100%/' "
        .. "s/weather.lua >s/a.lua; sed 's/$/ /; /fault.kill/d' s/a.lua >s/b.lua; for i in a b; do "
        .. "$L run -q s/$i.lua >o; $L sql -f tabs $i-1 \"select at_ns from fault "
        .. "where kind = 'latency'\" "
        .. ">$i; done; cmp a b; wc -l <a", 0, out = { "1" } },
    { "what a chaos brings shrinks fault by fault",
        "$L shrink s/weather.lua && cat s/min/weather-1.lua", 0,
        out = { "12 → 1 faults", "fault.down { eu.zone.a, at = ", "!chaos" } },
    { "only some of it may be asked for",
        "sed -i 's/most = 12/only = { 2, 5 }/' s/weather.lua; $L run -q s/weather.lua >o; "
        .. "$L sql -f tabs weather-1 'select count(*) from fault' | tail -1", 0, out = { "2\n" } },

    -- What other programs read of a sweep.
    { "a sweep is written for programs",
        "sed -i 's,3/s,9/s,' s/rarely.lua; $L sweep s/rarely.lua s/fails.lua s/passes.lua "
        .. "--seeds 3 --no-shrink --no-save --progress none -o junit=x -o tap=t -o ndjson=n "
        .. "-o github=g -o html=h -o json=j; cat t g; "
        .. "python3 -c 'import json, xml.etree.ElementTree as e; "
        .. "r = e.parse(\"x\").getroot(); print([r.get(k) for k in (\"tests\", \"failures\", "
        .. "\"skipped\")], len([json.loads(l) for l in open(\"n\")]))'; grep -c 'http:' h; grep -o "
        .. "'37 % to 100 %\\|0 % to [0-9]* %' h; true", 0,
        out = { "1..3\n", "ok 1 - s/rarely.lua seeds 1 to 3 # SKIP inconclusive: never reached",
                "not ok 2 - s/fails.lua", "3 of 3 runs failed", "::error file=s/fails.lua",
                "['3', '1', '1'] 8\n0\n", "37 % to 100 %\n" } },
    { "parts are merged into all of them",
        "$L sweep s/fails.lua --seeds 4 --blocks 2 --emit p >o; for i in 1 2; do LORENZ=$L "
        .. "p/block $i >o; done; $L report p -o junit=m -o html=h >o; $L sweep s/fails.lua "
        .. "--seeds 4 --no-save --no-shrink --progress none -o junit=w -o html=v >o; "
        .. "cmp m w && cmp h v", 0 },
    { "a sweep has no other formats", "$L sweep s/passes.lua -o perfetto=x", 4,
        err = { "written as github, html, json, junit, ndjson or tap", "perfetto" } },
    { "only one format is told", "$L sweep s/passes.lua -o tap=- -o json=-", 4,
        err = { "only one format can go to standard output" } },

    -- Pages and run files.
    { "a page loads nothing and has what failed first",
        "$L run -q s/passes.lua s/fails.lua -o html=h; "
        .. "sed 's,/\\*! https://github.com/leeoniya/uPlot,,' h "
        .. "| grep -o 'https*:[^ \"]*' | sort -u; "
        .. "grep -o '<h1>.*' h | sed 's/<[^>]*>//g'", 0,
        out = { "!https", "2 runs, 1 does not hold\n&#10007; " } },
    { "what a scenario is called is no markup",
        "sed 's,scenario \"[^\"]*\",scenario \"</script><img onerror=x>\",' s/passes.lua "
        .. ">s/x.lua; $L run -q s/x.lua -o html=h; grep -c '<img' h", 1,
        out = { "0\n" } },
    { "a run file may be had by name",
        "$L run -q s/passes.lua -o lzrun=r; cmp r .lorenz/runs/passes-1.lzrun && $L report r", 0,
        out = { "1 passed" } },
    { "a run file is of one run", "$L run -q s/cases.lua -o lzrun=r", 74,
        err = { "r was not written: lzrun is the file of one run, and there are 3" } },

    -- Mutating.
    { "a vacuous expectation is found", "$L mutate s/vacuous.lua -o json=j; echo $?; grep -o "
        .. "'\"never_notice\":[0-9]*' j", 0,
        out = { "never notices    0 of 1", "answers come within the hour", "first database db "
            .. "stopped", "1 of 2 expectations never notices anything   exit 3", "\n3\n",
            '"never_notice":1' } },
    { "where all notice something, that is said",
        "sed -i '/within the hour/d' s/vacuous.lua; $L mutate s/vacuous.lua", 0,
        out = { "0 of 1 expectation", "exit 0" } },
    { "what nobody notices may be only reported", "$L mutate s/vacuous.lua --report-only", 0,
        out = { "exit 0" } },
    { "of what fails as it is nothing is said", "$L mutate s/fails.lua", 1,
        out = { "its verdict is fail as it is" } },
    { "what does not load is not mutated", "$L mutate s/wrong.lua", 2,
        err = { "s/wrong.lua does not load" } },
    { "mutants are the same with one worker or four",
        "for j in 1 4; do $L mutate s/vacuous.lua -j $j >m$j; done; cmp m1 m4", 0 },

    -- What a sweep has tried.
    { "what one seed reaches is reached",
        "$L run -q s/rarely.lua; $L sweep s/rarely.lua --progress none -o json=j; echo $?; "
        .. "grep -o '\"runs\":30,\"reached\":[0-9]*' j", 0,
        out = { "1 inconclusive", "30      0", "\n0\n", '"runs":30,"reached":' } },
    { "a run that ends with an error is no inconclusive one",
        "sed 's/^expect/drive(\"operator\", function() error \"lost\" end)\\nexpect/' s/passes.lua "
        .. ">s/lost.lua; $L sweep s/lost.lua --seeds 3 --no-save --no-shrink --progress none", 2,
        out = { "0      0         -  unknown  (3 broke off)" } },
    { "what no seed reaches is inconclusive and said",
        "sed -i 's,3/s,9/s,' s/rarely.lua; $L sweep s/rarely.lua --progress none", 3,
        out = { "30      0", "never reached in 30 runs, so inconclusive: "
            .. "three fail in one second" } },
    { "a sweep says which faults came and which bit",
        "$L sweep s/weather.lua --seeds 2 --no-shrink --no-save --progress none "
        .. "-o json=j; "
        .. "sed -i 's/mtbf = \"1m\"/mtbf = \"300h\"/' s/weather.lua; "
        .. "$L sweep s/weather.lua --seeds 2 --no-save --progress "
        .. "none; grep -c '\"kind\":\"kill\",\"target\":\"web\"' j", 0,
        out = { "faults", "kill web", "latency web -> db", "down eu.a", "never came", "\n1\n" } },

    -- Orders of messages. Two ways differ by 100 us, which nothing but luck makes matter.
    { "an ordering bug is not found in the network's order",
        "$L sweep s/overtakes.lua --no-shrink --progress none", 0,
        out = { "20 of 20 runs, 0 failed" } },
    { "it is found in random ones", "$L sweep s/overtakes.lua --order random --progress none", 1,
        out = { "order random@1ms", "1 distinct failure", "s/min/overtakes-1.lua",
                "--seed 1 --order random@1ms" } },
    { "and by a pct of a lower bound", "$L sweep s/overtakes.lua --order pct:1@500us --progress "
        .. "none --no-shrink", 1, out = { "order pct:1@500us", "1 distinct failure" } },
    { "a token and a run file repeat it",
        "$L run s/overtakes.lua --order pct:2 --seed 4 | tee o | grep -o 'lz1-4-.*-pct:2/.*@1ms'; "
        .. "grep -q FAIL o && $L run -q --seed $(grep -o 'lz1-.*' o) s/overtakes.lua; "
        .. "$L replay overtakes-4 </dev/null; $L why -n 4 overtakes-4 | head -1; "
        .. "$L shrink overtakes-4", 0,
        out = { "pct:2/", "1 failed   seed 4", "a payment finds its order", "fails alike after" } },
    { "what is left of it fails in the same order",
        "$L sweep s/overtakes.lua --order random --progress none >o; "
        .. "eval \"$(sed -n 's/^-- *lorenz/$L/p' s/min/overtakes-1.lua)\" | tail -1", 0,
        out = { "1 failed" } },
    { "orders do not depend on workers, nor on another run beside it",
        "$L run --verify -q s/passes.lua --order random; for j in 1 4; do "
        .. "$L sweep s/overtakes.lua --order pct:3 --no-save --keep none -j $j -o json=$j >t$j; "
        .. "done; "
        .. "cmp 1 4 && cmp t1 t4", 0, err = { "1 of 1 runs were compared" } },
    { "parts in different orders are refused",
        "$L sweep s/passes.lua --seeds 4 --shard 1/2 -o sweep=1.lzsweep >o; "
        .. "$L sweep s/passes.lua --seeds 4 --shard 2/2 --order random "
        .. "-o sweep=2.lzsweep >o; "
        .. "$L report 1.lzsweep 2.lzsweep", 4, err = { "another order of messages" } },
    { "an order that is none is told", "$L sweep s/passes.lua --order lifo", 4,
        err = { "--order", "expected fifo, random or pct:DEPTH", "lifo" } },

    -- A fault that touches and does no harm is no alarm: below 1 %, 99 % sure.
    { "a harmless fault raises no alarm",
        "$L sweep s/harmless.lua --seeds 1000 --max-rate 1% --confidence 99% --progress none", 0,
        out = { "decided: below", ", 0 failed" } },

    -- Reports and questions.
    { "a run is shown again as it was", "$L run s/fails.lua >a; $L report fails-1 >b; cmp a b", 0 },
    { "a run answers a question",
        "$L run -q s/fails.lua; $L sql fails-1 | grep -A1 expectation; "
        .. "$L sql fails-1 'select verdict, count(*) as n from expectation'", 0, width = 80,
        out = { "verdict  n\nfail     1" } },
    { "a run answers in JSON", "$L run -q s/fails.lua; "
        .. "$L sql fails-1 -f json 'select verdict, null as x from expectation'", 0,
        out = { '{"verdict":"fail","x":null}' } },
    { "a run is not changed by a question",
        "$L run -q s/fails.lua; cp .lorenz/runs/fails-1.lzrun a; "
        .. "$L sql fails-1 'delete from expectation'; cmp a .lorenz/runs/fails-1.lzrun", 0,
        err = { "readonly" } },
    { "a question without an end is given up",
        "$L run -q s/fails.lua; $L sql fails-1 'with recursive t(n) as (select 1 union all "
        .. "select n + 1 from t) select max(n) from t'", 4, err = { "interrupted" } },
    { "a wrong question is usage", "$L run -q s/fails.lua; $L sql fails-1 'selec'", 4,
        err = { "syntax error" } },
    { "annotations and a summary are written where GitHub runs it",
        "$L run s/fails.lua; cat sum", 0, env = "GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=sum",
        out = { "::error file=s/fails.lua,line=5,title=", "### lorenz, seed 1", "```mermaid" } },
}

harness(rows)
