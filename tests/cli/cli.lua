-- cli.lua — the built binary, driven as people and CI drive it.
--
--     lua5.4 tests/cli/cli.lua path/to/lorenz tests/cli/scenarios
--
-- A row is a name, a shell command and what must come of it. The command runs in a fresh
-- folder that holds a copy of the scenarios, with an environment that holds nothing but
-- PATH and what the row sets; $L is the binary. `out` and `err` are plain texts that
-- must occur (or, after "!", must not) in standard output and standard error.

local binary, scenarios = arg[1], arg[2]

local function quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
    local file <close> = io.open(path, "rb")
    return file and file:read "a" or ""
end

local function make_folder()
    local pipe <close> = assert(io.popen "mktemp -d")
    return pipe:read "l"
end

local ABSOLUTE = binary:sub(1, 1) == "/" and binary or os.getenv "PWD" .. "/" .. binary
local SCENARIOS = scenarios:sub(1, 1) == "/" and scenarios or os.getenv "PWD" .. "/" .. scenarios

---Run a command in a fresh folder; gives its status, output and error output.
local function run(command, env)
    local folder = make_folder()
    os.execute(("cp -r %s %s"):format(quote(SCENARIOS), quote(folder .. "/s")))
    local parts = { "cd", quote(folder), "&& env -i", "PATH=" .. quote(os.getenv "PATH"),
                    "L=" .. quote(ABSOLUTE), "LANG=C.UTF-8" }
    for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
        local value = os.getenv(name)
        if value then parts[#parts + 1] = name .. "=" .. quote(value) end
    end
    parts[#parts + 1] = env or ""
    parts[#parts + 1] = "sh -c " .. quote(command)
    parts[#parts + 1] = (">%s 2>%s"):format(quote(folder .. "/.out"), quote(folder .. "/.err"))
    local _, _, status = os.execute(table.concat(parts, " "))
    local out, err = read(folder .. "/.out"), read(folder .. "/.err")
    os.execute("rm -rf " .. quote(folder))
    return status, out, err
end

local USAGE = "lorenz help run"
-- Wait for a child of $pid, then send it a signal.
local CHILD = "child=; while [ -z \"$child\" ]; do sleep 0.05; "
    .. "child=$(cat /proc/$pid/task/$pid/children); done; "

local rows = {
    -- Without a command, and about commands.
    { "alone, it says what there is", "$L", 0, out = { "usage: lorenz COMMAND", "  run " } },
    { "help lists the commands", "$L help", 0, out = { "check", "run", "version" } },
    { "--help is help", "$L --help", 0, out = { "usage: lorenz COMMAND" } },
    { "-h is help", "$L -h", 0, out = { "usage: lorenz COMMAND" } },
    { "help about a command lists its options", "$L help run", 0,
        out = { "--seed N|TOKEN|random" } },
    { "the help of every command fits 80 columns",
        "for c in $($L help | sed -n 's/^  \\([a-z]*\\) .*/\\1/p'); do $L help $c; done", 0,
        width = 80, out = { "usage: lorenz check", "usage: lorenz version" } },
    { "--help after a command is the same page",
        "[ \"$($L help run)\" = \"$($L run --help)\" ]", 0 },
    { "an unknown command is usage", "$L walk", 4, err = { "there is no command \"walk\"" } },
    { "a mistyped command gets the nearest one", "$L rnu", 4,
        err = { "help: a command with a similar name exists: run" } },
    { "an abbreviation is refused", "$L ver", 4,
        err = { "help: a command with a similar name exists: version" } },
    { "help about an unknown command is usage", "$L help walk", 4, err = { "\"walk\"" } },
    { "an option before a command is usage", "$L --seed 1 run", 4, err = { "--seed" } },
    { "the version is one line", "$L version", 0, out = { "lorenz 0." } },
    { "--version is the version", "$L --version", 0, out = { "lorenz 0." } },
    { "the version as JSON names its parts", "$L version --json", 0,
        out = { '"version":"0.', '"lua":"5.4', '"sqlite":"3.', '"compiler":"' } },

    -- Flags.
    { "an unknown option is usage", "$L run --sed 1 s/passes.lua", 4,
        err = { "there is no option --sed", "similar name exists: --seed", USAGE } },
    { "an unknown letter is usage", "$L run -z s/passes.lua", 4, err = { "no option -z" } },
    { "a missing value is usage", "$L run s/passes.lua --seed", 4,
        err = { "--seed needs a value: N|TOKEN|random" } },
    { "a flag takes no value", "$L run --ascii=yes", 4, err = { "--ascii takes no value" } },
    { "a seed is a number", "$L run --seed x s/passes.lua", 4,
        err = { '--seed: expected a whole number, got "x"' } },
    { "a seed has 64 bits", "$L run --seed 18446744073709551616", 4, err = { "--seed: must be" } },
    { "a seed is not negative", "$L run --seed=-1", 4, err = { "--seed: expected" } },
    { "a format must be known", "$L run -o yaml=x", 4, err = { 'no format "yaml"', "json" } },
    { "an output has a format", "$L run -o results", 4, err = { "-o: expected FORMAT=FILE" } },
    { "only one format goes to stdout", "$L run -o json=- -o json=- s/passes.lua", 4,
        err = { "only one format" } },
    { "jobs are counted from one", "$L run -j 0", 4, err = { "-j: must be 1 to" } },
    { "jobs and their letter may be one word", "$L run -qj1 s/passes.lua", 0 },
    { "a width has a least value", "$L run --width 10", 4, err = { "--width: must be 40 to" } },
    { "a timeout has a unit",
        "$L run --timeout 30", 4, err = { "--timeout: expected a duration" } },
    { "what to keep is one of three words",
        "$L run --keep some", 4, err = { "all, failed or none" } },
    { "a colour is one of three words",
        "$L run --color red", 4, err = { "auto, always or never" } },
    { "a param is set with =", "$L run --set x", 4, err = { "--set: expected NAME=VALUE" } },
    { "all that is wrong is said at once", "$L run --seed x --width 1 --nope", 4,
        err = { "--seed:", "--width:", "--nope" } },
    { "after -- everything is a path", "$L run -- --seed", 4, err = { "no such file: --seed" } },
    { "-v says where the memory goes", "$L run -v s/passes.lua", 0,
        out = { "requests at once", " B each", "memory of " } },
    { "a token must be whole", "$L run --seed lz1-1-abc", 4, err = { "a token is lz1-SEED-" } },
    { "a token brings its run back",
        "t=$($L run s/passes.lua | grep -o 'lz1-.*'); $L run s/passes.lua --seed $t", 0,
        out = { "seed 1 ", "!seed 2" }, err = { "!token" } },
    { "a token's seed is the run's",
        "t=$($L run s/passes.lua --seed 77 | grep -o 'lz1-.*'); LORENZ_SEED=$t $L run s/passes.lua",
        0, out = { "seed 77 ", "token lz1-77-" }, err = { "!token" } },
    { "a token of another scenario is said to be so",
        "t=$($L run s/passes.lua | grep -o 'lz1-.*'); $L run s/cases.lua --report-only --seed $t",
        0, err = { "the token is of another scenario, or of another text of it", "s/cases.lua" } },
    { "a token of another text is said to be so", "t=$($L run s/passes.lua | grep -o 'lz1-.*'); "
        .. "echo '-- more' >>s/passes.lua; $L run s/passes.lua --seed $t",
        0, err = { "another text" } },
    { "a token of another engine is said to be so",
        "t=$($L run s/passes.lua | grep -o 'lz1-.*' | sed 's/............$/0123456789ab/'); "
        .. "$L run s/passes.lua --seed $t",
        0, err = { "the token is of another engine (0123456789ab;", "!another text" } },
    { "a second run is compared", "$L run s/passes.lua --verify", 0,
        err = { "1 of 1 runs were compared with a second, plain one" } },
    { "a second run can be shaken", "$L run s/passes.lua s/cases.lua --shake --report-only -j 2", 0,
        err = { "runs were compared with a second, shaken one" }, out = { "!not reproducible" } },
    { "a comparison changes no run file",
        "$L run s/passes.lua; mv .lorenz a; $L run s/passes.lua --shake; "
        .. "cmp a/runs/passes-1.lzrun .lorenz/runs/passes-1.lzrun && echo equal",
        0, out = { "equal" } },
    { "all that could make runs differ is closed", "$L doctor", 0,
        out = { "14 of 14 are closed", "!OPEN" } },
    { "the environment opens nothing", "$L doctor", 0, env = "LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8 "
        .. "TZ=Asia/Tokyo GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA", out = { "14 of 14" } },
    { "the doctor takes no arguments", "$L doctor x", 4, err = { "takes no arguments" } },
    { "a script that computes for long is run again, counted, and passes",
        "$L run s/computes.lua && $L run s/computes.lua --verify", 0, out = { "1 passed" } },
    { "LORENZ_SEED must make sense", "$L run s/passes.lua", 4, env = "LORENZ_SEED=x",
        err = { "LORENZ_SEED: expected" } },
    { "LORENZ_JOBS must make sense", "$L run s/passes.lua", 4, env = "LORENZ_JOBS=0",
        err = { "LORENZ_JOBS: must be" } },

    -- Selection.
    { "a missing file is usage", "$L run absent.lua", 4, err = { "no such file: absent.lua" } },
    { "a missing file among others is usage",
        "$L run s/passes.lua absent.lua", 4, out = { "!Every" } },
    { "an empty folder matches nothing", "mkdir e; $L run e", 5, err = { "nothing matched" } },
    { "no scenarios folder matches nothing", "$L run", 5, err = { "nothing matched" } },
    { "the scenarios folder is the default",
        "mkdir scenarios; cp s/passes.lua scenarios; $L run", 0,
        out = { "Everything holds" } },
    { "helpers are skipped", "mkdir e; cp s/wrong.lua e/_wrong.lua; $L run e", 5 },
    { "a case that does not exist matches nothing", "$L run s/cases.lua --case work=2ms", 5,
        err = { "nothing matched" } },

    -- Selection by name, tag, last failure, shard; and where options come from.
    { "a name picks scenarios", "$L list -k passes s/passes.lua s/cases.lua", 0,
        out = { "1 scenario,", "s/passes.lua", "!s/cases.lua" } },
    { "a name is part of a sentence, in any capitals", "$L list -k 'EVERYTHING and not nothing' "
        .. "s/passes.lua s/inconclusive.lua", 0, out = { "s/passes.lua", "!s/inconclusive.lua" } },
    { "a name picks cases", "$L list -k work=20ms s/cases.lua", 0,
        out = { "work=20ms", "!work=1ms" } },
    { "names may be negated and joined", "$L list -k 'not (passes or cases)' s/passes.lua "
        .. "s/cases.lua s/fails.lua", 0, out = { "s/fails.lua", "!s/passes.lua", "!s/cases.lua" } },
    { "an expression that ends too early is usage", "$L run -k 'a and' s/passes.lua", 4,
        err = { "-k: expected a name at the end" } },
    { "an expression without its operator is usage", "$L run -k 'a b' s/passes.lua", 4,
        err = { 'expected "and" or "or" before "b"' } },
    { "a quote that is not closed is usage", "$L run -k 'a and \"b' s/passes.lua", 4,
        err = { "a quote is not closed" } },
    { "a name that nothing has matches nothing", "for c in run sweep list check; do "
        .. "$L $c -k nowhere s/passes.lua; echo $c $?; done", 0,
        out = { "run 5", "sweep 5", "list 5", "check 5" } },
    { "a tag picks scenarios, for every command alike", "for c in run list check; do "
        .. "$L $c -t db s/tagged.lua s/passes.lua; done", 0,
        out = { "s/tagged.lua", "!Everything holds", "!s/passes.lua" } },
    { "a tag is a whole word", "$L list -t d s/tagged.lua", 5 },
    { "either of two tags will do", "$L list -t nope -t slow s/tagged.lua", 0,
        out = { "s/tagged.lua" } },
    { "--lf runs only what failed", "$L run s/fails.lua s/passes.lua >/dev/null; "
        .. "$L run --lf s/fails.lua s/passes.lua", 1,
        out = { "1 scenario", "!Everything holds" } },
    { "--lf runs all when nothing failed", "$L run s/passes.lua >/dev/null; "
        .. "$L run --lf s/passes.lua", 0, out = { "Everything holds" },
        err = { "nothing that is selected failed last time" } },
    { "--lf forgets what has been mended", "$L run s/fails.lua s/cases.lua >/dev/null; "
        .. "cp s/passes.lua s/fails.lua; $L run s/fails.lua >/dev/null; cat .lorenz/last-failed", 0,
        out = { "!fails.lua" } },
    { "a sweep remembers what failed", "$L sweep --seeds 2 --no-save s/fails.lua >/dev/null; "
        .. "cat .lorenz/last-failed", 0, out = { "s/fails.lua\t" } },
    { "--ff runs what failed first", "$L run s/passes.lua s/fails.lua >/dev/null; "
        .. "$L run -q --ff s/passes.lua s/fails.lua | grep -n PASS", 0, out = { "3:PASS" } },
    { "shards are parts of the whole", "for i in 1 2 3; do "
        .. "$L list -q --shard $i/3 s/passes.lua s/fails.lua s/inconclusive.lua; done", 0,
        out = { "s/passes.lua", "s/fails.lua", "s/inconclusive.lua" } },
    { "a shard has a number and a count", "$L run --shard 3/2 s/passes.lua", 4,
        err = { "--shard: must be 1 to 2, got 3" } },
    { "a shard of nothing matches nothing", "$L run --shard 2/2 s/passes.lua", 5,
        err = { "--shard" } },
    { "shards of a sweep have every seed once",
        "$L sweep --seeds 7 --shard 1/2 --no-save s/passes.lua; "
        .. "$L sweep --seeds 7 --shard 2/2 --no-save s/passes.lua",
        0, out = { "4 of 4 runs", "3 of 3 runs" } },
    { "saved seeds are run first", "mkdir s/seeds; echo 9 >s/seeds/passes.seeds; "
        .. "$L run s/passes.lua", 0, out = { "2 cases", "token lz1-9-", "2 passed" } },
    { "saved seeds can be left out", "mkdir s/seeds; echo 9 >s/seeds/passes.seeds; "
        .. "$L run --no-regressions s/passes.lua", 0, out = { "1 passed", "!seed 9" } },
    { "a seed that is named is run alone", "mkdir s/seeds; echo 9 >s/seeds/passes.seeds; "
        .. "$L run --seed 3 s/passes.lua", 0, out = { "1 passed", "seed 3", "!seed 9" } },
    { "check stops at the first wrong file", "$L check -x s/wrong.lua s/later.lua s/passes.lua", 2,
        out = { "!ok  s/passes.lua" } },
    { "check looks at the cases that are asked for", "$L check --case work=1ms s/cases.lua", 0 },
    { "a configuration gives options",
        "echo 'return { seed = 12, paths = { \"s/passes.lua\" } }' >lorenz.conf.lua; $L run", 0,
        out = { "Everything holds", "seed 12 " } },
    { "the command line is stronger than a configuration", "echo 'return { seed = 12 }' "
        .. ">lorenz.conf.lua; $L run --seed 13 s/passes.lua", 0, out = { "seed 13 " } },
    { "so is the environment", "echo 'return { seed = 12 }' >lorenz.conf.lua; "
        .. "LORENZ_SEED=14 $L run s/passes.lua", 0, out = { "seed 14 " } },
    { "a profile is stronger than what stands beside it",
        "echo 'return { profile = { ci = { seed = 3 } }, seed = 12 }' >lorenz.conf.lua; "
        .. "$L run --profile ci s/passes.lua; LORENZ_PROFILE=ci $L run s/passes.lua", 0,
        out = { "seed 3 ", "!seed 12" } },
    { "the project's file is stronger than the user's",
        "mkdir -p x/lorenz; echo 'return { seed = 5, ascii = true }' >x/lorenz/lorenz.conf.lua; "
        .. "echo 'return { seed = 6, ascii = false }' >lorenz.conf.lua; "
        .. "XDG_CONFIG_HOME=$PWD/x $L config --explain", 0,
        out = { "seed            6                     lorenz.conf.lua:1", "timeout" } },
    { "a configuration above is found", "echo 'return { seed = 12 }' >lorenz.conf.lua; "
        .. "cd s; $L run passes.lua", 0, out = { "seed 12 " } },
    { "a profile that is not there is usage", "$L run --profile ci s/passes.lua", 4,
        err = { 'there is no profile "ci" in lorenz.conf.lua, which is not here' } },
    { "a configuration has no code", "echo 'return { jobs = os.cores() }' >lorenz.conf.lua; "
        .. "$L run s/passes.lua", 4, err = { "lorenz.conf.lua:1: expected a text, a number" } },
    { "a configuration is a table", "echo 'jobs = 3' >lorenz.conf.lua; $L run s/passes.lua", 4,
        err = { "lorenz.conf.lua:1: a configuration begins with: return {" } },
    { "a setting must be an option", "printf 'return {\n  sede = 3,\n}' >lorenz.conf.lua; "
        .. "$L run s/passes.lua", 4,
        err = { 'lorenz.conf.lua:2: no command has an option "sede"; a similar one exists' } },
    { "a setting must have a value its option takes",
        "echo 'return { keep = \"some\" }' >lorenz.conf.lua; $L run s/passes.lua", 4,
        err = { "lorenz.conf.lua:1: keep: expected all, failed or none" } },
    { "a wrong configuration does not hide help", "echo 'x' >lorenz.conf.lua; $L run --help", 0 },
    { "config says what is built in", "$L config --explain", 0,
        out = { "project  none", "timeout         300s", "built in" } },
    { "a change is run again", "timeout --preserve-status -s INT 3 $L run --watch s/passes.lua & "
        .. "sleep 1; touch s/passes.lua; wait $!; [ $? -ge 128 ]", 0,
        err = { "waiting for a change; Ctrl-C ends it" } },

    -- Verdicts.
    { "what holds exits 0", "$L run s/passes.lua", 0, out = { "Everything holds", "seed 1" } },
    { "what fails exits 1", "$L run s/fails.lua", 1,
        out = { "answers come within a millisecond", "--seed 1" } },
    { "what is wrong exits 2", "$L run s/wrong.lua", 2 },
    { "what was never tested exits 3", "$L run s/inconclusive.lua", 3 },
    { "a known failure is not a failure", "$L run s/cases.lua", 0 },
    { "one case can be picked", "$L run s/cases.lua --case work=5ms", 0, out = { "!XFAIL" } },
    { "a param can be pinned", "$L run s/cases.lua --set work=5ms", 0, out = { "!XFAIL" } },
    { "a runaway script is wrong", "$L run s/runaway.lua", 2 },
    { "a hang inside C meets the wall clock", "$L run --timeout 1s s/hangs.lua", 7 },
    { "a greedy script meets the memory budget", "$L run s/greedy.lua", 7 },
    { "an event budget is a budget", "$L run --max-events 50 s/passes.lua", 7 },
    { "a failure is worse than an inconclusive run", "$L run s/inconclusive.lua s/fails.lua", 1 },
    { "a wrong scenario is worse than a failure", "$L run s/fails.lua s/wrong.lua", 2,
        out = { "answers come within a millisecond" } },
    { "a failure is worse than a budget", "$L run --timeout 2s s/hangs.lua s/fails.lua", 1 },
    { "a report does not judge", "$L run --report-only s/fails.lua s/inconclusive.lua", 0 },
    { "a report does not hide what is wrong", "$L run --report-only s/wrong.lua", 2 },
    { "-x stops at the first failure", "$L run -x -j4 s/fails.lua s/inconclusive.lua", 1,
        out = { "!Nothing ever fails" } },
    { "--maxfail counts in order",
        "$L run -j4 --maxfail 2 s/fails.lua s/wrong.lua s/inconclusive.lua",
        2, out = { "!Nothing ever fails" } },
    { "another seed is another run file", "$L run -q --seed 7 s/passes.lua >o; ls .lorenz/runs", 0,
        out = { "passes-7.lzrun" } },
    { "LORENZ_SEED is a seed", "$L run -q s/passes.lua; ls .lorenz/runs", 0, env = "LORENZ_SEED=9",
        out = { "passes-9.lzrun", "seed 9" } },
    { "a random seed is said", "$L run --seed random s/passes.lua", 0, out = { "seed " } },
    { "case values name the run file", "$L run -q s/cases.lua >o; ls .lorenz/runs", 0,
        out = { "cases-1ms-1.lzrun", "cases-20ms-1.lzrun" } },
    { "equal stems keep their own run files",
        "cp -r s t; $L run -q s/passes.lua t/passes.lua >o; ls .lorenz/runs", 0,
        out = { "passes-1.lzrun", "passes-1~2.lzrun" } },

    -- A run that goes wrong costs one run.
    { "a crash is said and the others go on",
        "$L run -j1 s/hangs.lua s/passes.lua & pid=$!; " .. CHILD .. "kill -9 $child; wait $pid",
        70,
        out = { "Everything holds" }, err = { "crashed (SIGKILL)", ".lorenz/crash/hangs-1.txt" } },
    { "an interrupt exits 130",
        "timeout --preserve-status -s INT 2 $L run -j1 s/passes.lua s/hangs.lua",
        130 },
    { "a termination exits 143",
        "$L run s/hangs.lua & pid=$!; " .. CHILD .. "kill -TERM $pid; wait $pid", 143 },

    -- check.
    { "check runs nothing", "$L check s/passes.lua; ls -A .lorenz 2>&1", 2,
        out = { "ok  s/passes.lua  Everything holds, 1 case" } },
    { "check counts cases", "$L check s/cases.lua", 0, out = { "Three speeds, 3 cases" } },
    { "check says what is wrong", "$L check s/wrong.lua s/passes.lua", 2,
        out = { "s/wrong.lua:3", "ok  s/passes.lua" } },
    { "check knows missing files", "$L check absent.lua", 4, err = { "no such file" } },
    { "check knows empty folders", "mkdir e; $L check e", 5 },
    { "check stops a hang", "$L check --timeout 1s s/hangs.lua", 7, err = { "s/hangs.lua" } },

    -- explain.
    { "explain lists its topics", "$L explain", 0, width = 80,
        out = { "fault.latency", "LZ201", "errors.ratio", "exit" } },
    { "explain has a page of a code", "$L explain LZ201", 0,
        out = { "LZ201: a quantity has no unit", "Wrong", "Right", "lasting = \"500ms\"" } },
    { "a code may be written small", "$L explain lz201", 0, out = { "LZ201: " } },
    { "explain has a page of a block", "$L explain service", 0, width = 80,
        out = { "concurrency", "queue.policy", "latency.p99" } },
    { "explain has a page of a fault", "$L explain fault latency", 0,
        out = { "delay added to each message", "pick", "messages delayed" } },
    { "a fault may be asked for by its kind", "$L explain kill", 0, out = { "fault.kill" } },
    { "explain has a page of the statuses", "$L explain exit 3", 0,
        out = { "3    inconclusive", "70, 74, 6, 2, 1, 7, 3, 5" } },
    { "explain says why a name is not there", "$L explain os", 0, out = { "real clock" } },
    { "explain names what was probably meant", "$L explain latancy.p99", 4,
        err = { "nothing is called \"latancy.p99\"", "lorenz explain latency.p99" } },
    { "explain shows every meaning of a word", "$L explain latency", 0, width = 80,
        out = { "fault.latency", "latency.p99", "one way between its zones" } },
    { "explain knows a metric of a component", "$L explain web.latency.p99", 0,
        out = { "99th percentile" } },
    { "explain knows a matcher of a metric", "$L explain web.latency.p99:below", 0,
        out = { "less than the limit" } },
    { "there is no status 99", "$L explain exit 99", 4, err = { 'nothing is called "exit 99"' } },
    { "explain points to the page of a command", "$L explain run", 4,
        err = { "that is a command: lorenz help run" } },
    { "explain of nothing known is usage", "$L explain xyzzy-plugh", 4, out = { "!x" },
        err = { "the topics are listed by: lorenz explain" } },
    { "pages keep to narrow terminals", "$L explain --width 60 expect | grep -v '^    '", 0,
        width = 60 },
    { "pages are not wider than 80 columns", "$L explain --width 200 metrics", 0, width = 80 },

    -- plan.
    { "plan shows what a run would be", "$L plan s/cases.lua; ls -A .lorenz 2>&1", 2,
        out = { "Three speeds", "Made of", "meant to fail", "Load", "events in a run" } },
    { "plan names seed and budgets", "$L plan --seed 7 --timeout 5s --max-events 99 s/passes.lua",
        0, out = { "1 run with seed 7", "5s of wall time", "and 99" } },
    { "a pinned param is one case", "$L plan --set work=5ms s/cases.lua", 0,
        out = { "1 run with seed 1", "!work=20ms" } },
    { "plan draws for Mermaid", "$L plan -o mermaid=m s/passes.lua; cat m", 0,
        out = { "Made of", "flowchart LR" } },
    { "plan draws for Graphviz, alone", "$L plan -o dot=- s/passes.lua", 0,
        out = { "digraph plan", "!Made of" } },
    { "one graph goes to stdout", "$L plan -o dot=- -o mermaid=- s/passes.lua", 4,
        err = { "only one format" } },
    { "plan knows its formats", "$L plan -o svg=x s/passes.lua", 4,
        err = { 'no format "svg"', "mermaid, dot, text" } },
    { "plan is of one scenario", "$L plan s/passes.lua s/cases.lua", 4,
        err = { "a plan is of one scenario, got 2", "lorenz plan s/" } },
    { "plan says what is wrong", "$L plan s/wrong.lua", 2, err = { "s/wrong.lua:3" },
        out = { "!Made" } },
    { "plan follows what a scenario uses", "$L plan s/uses.lua", 0, out = { "Made of" } },
    { "plan stops a hang", "$L plan --timeout 1s s/hangs.lua", 7, err = { "s/hangs.lua" } },
    { "plan knows missing files", "$L plan absent.lua", 4, err = { "no such file" } },
    { "a graph on a full disk exits 74", "$L plan -o dot=/dev/full s/passes.lua", 74,
        err = { "cannot write /dev/full" } },
    { "every line of a plan fits 50 columns", "$L plan --width 50 s/cases.lua", 0, width = 50 },

    -- list, init, new.
    { "list shows scenarios and cases", "$L list s/cases.lua s/passes.lua", 0, width = 80,
        out = { "s/cases.lua  ", "3 cases", "Three speeds", "case  work=5ms", "meant to fail",
            "2 scenarios, 4 cases" } },
    { "list shows tags",
        "printf 'scenario \"A\" { tags = { \"db\", \"x\" }, duration = \"1m\" }' >t.lua; "
            .. "$L list t.lua", 0, out = { "t.lua  1m, 1 case", "tags: db, x" } },
    { "list shows last verdicts", "$L run -q s/fails.lua >o; $L list s/fails.lua s/passes.lua", 0,
        out = { "last fail", "!last pass" } },
    { "list goes on past what does not load", "$L list s/wrong.lua s/passes.lua", 2,
        out = { "Everything holds", "1 scenario, 1 case" },
        err = { "s/wrong.lua does not load", "lorenz check s/wrong.lua" } },
    { "list can pick cases", "$L list -q s/cases.lua --case work=5ms", 0, out = { "1 case\n" } },
    { "list of no case matches nothing", "$L list s/cases.lua --case work=7ms", 5,
        out = { "0 scenarios" } },
    { "list cleans what scenarios are called",
        "printf 'scenario \"A\\27[31m\" { duration = \"1m\" }' >t.lua; $L list t.lua", 0,
        out = { "A?[31m" } },
    { "list knows missing files", "$L list absent.lua", 4, err = { "no such file" } },
    { "list keeps to narrow terminals", "$L list --width 40 s/cases.lua", 0, width = 40 },
    { "init begins a project", "$L init p; find p -type f", 0,
        out = { "wrote  scenarios/first.lua", "wrote  .luarc.json", "cd p", "lorenz run",
            "p/.github/workflows/lorenz.yml", "p/.gitignore",
            "p/.lorenz/types/library/lorenz.lua" } },
    { "the first scenario fails, and says how it passes", "$L init >o; $L run", 1,
        out = { "shoppers are served again", "because", "set nodes = 3 and run again" } },
    { "what it says makes it pass",
        "$L init >o; sed -i 's/nodes    = 1/nodes = 3/' scenarios/first.lua; $L run", 0 },
    { "init keeps what is there",
        "echo mine >.gitignore; mkdir scenarios; echo -- >scenarios/first.lua; $L init; "
            .. "cat .gitignore scenarios/first.lua", 0,
        out = { "kept   .gitignore", "kept   scenarios/first.lua", "mine\n--\n",
            "see that it has a line .lorenz/", "wrote  .luarc.json" } },
    { "init twice changes nothing", "$L init >o; $L init", 0, out = { "!wrote  s" } },
    { "init does not follow a link out", "ln -s /dev/full .luarc.json; $L init", 0,
        out = { "kept   .luarc.json" } },
    { "init in no folder exits 74",
        "touch f; $L init f/g", 74, err = { "cannot make the folder" } },
    { "init of two folders is usage", "$L init a b", 4, err = { "one folder, got 2" } },
    { "new writes a scenario that passes", "$L new checkout && $L run", 0,
        out = { "wrote  scenarios/checkout.lua", "checkout: users are served" } },
    { "new keeps what is there", "mkdir scenarios; echo x >scenarios/a.lua; $L new a", 4,
        err = { "scenarios/a.lua is there already" } },
    { "new needs a name", "$L new", 4, err = { "one name is needed, got 0" } },
    { "new refuses a path", "$L new ../x", 4, err = { 'got "../x"' } },
    { "new refuses a name that would be hidden", "$L new _x", 4, err = { 'got "_x"' } },

    -- man, types, completions.
    { "man prints the page of the commands", "$L man", 0, out = { ".TH LORENZ 1", "lorenz run" } },
    { "man prints the page of the language", "$L man lorenz-scenario", 0,
        out = { ".TH LORENZ\\-SCENARIO 5", "fault.latency" } },
    { "man knows no other page", "$L man lua", 4,
        err = { 'no page "lua"', "lorenz and lorenz-scenario" } },
    { "types go into a folder of ours", "$L types; ls .lorenz/types .lorenz/types/library", 0,
        out = { "wrote .lorenz/types/library/lorenz.lua", "config.json" } },
    { "types go where they are wanted", "$L types t; head -1 t/library/lorenz.lua", 0,
        out = { "---@meta" } },
    { "types can be printed", "$L types --print config", 0, out = { '"name": "Lorenz"' } },
    { "types are one of two files", "$L types --print x", 4, err = { "library or config" } },
    { "types in no folder exit 74", "touch .lorenz; $L types", 74,
        err = { "cannot make the folder .lorenz" } },
    { "types of two folders are usage", "$L types a b", 4, err = { "one folder, got 2" } },
    { "completions need a shell", "$L completions", 4, err = { "one shell is needed" } },
    { "completions know three shells", "$L completions tcsh", 4, err = { "bash, zsh or fish" } },
    { "check knows words that cannot be run", "$L check s/later.lua", 0,
        out = { "ok  s/later.lua" } },
    { "what cannot be run is said once", "$L run s/later.lua", 2,
        out = { 'error[LZ114]: broker "log" cannot be run by this version', "s/later.lua:2:13",
            "nor can 1 more" } },

    { "check writes JSON", "$L check -o json=r.json s/wrong.lua; cat r.json", 0,
        out = { "error[LZ", '"schema":"lorenz.check/1"', '"exit_code":2' } },
    { "JSON of a check to stdout silences the text", "$L check -o json=- s/wrong.lua", 2,
        out = { '"code":"LZ', "!error[" } },
    { "check knows three formats", "$L check -o yaml=- s/wrong.lua", 4,
        err = { "json, sarif or github" } },
    { "one format of a check goes to stdout", "$L check -o json=- -o sarif=- s/wrong.lua", 4,
        err = { "only one format" } },
    { "a check that cannot be written exits 74", "$L check -o sarif=no/x s/passes.lua", 74,
        err = { "cannot write no/x" } },
    { "annotations end with how many more there are",
        "for i in 1 2 3 4 5 6 7 8 9 10 11; do cp s/wrong.lua s/w$i.lua; done; "
        .. "$L check -o github=- s/w*.lua | sed 's/ .*//' | sort | uniq -c", 0,
        out = { "9 ::error", "1 ::notice" } },
    { "a hang is in every format", "$L check --timeout 1s -o json=- s/hangs.lua", 7,
        out = { '"problem":"loading took longer than 1 s of wall time"', '"exit_code":7' } },
    { "a hang is in SARIF", "$L check --timeout 1s -o sarif=- s/hangs.lua", 7,
        out = { '"executionSuccessful":false', "loading took longer" } },
    { "a warning is not an error", "$L check s/warned.lua", 0, out = { "warning[LZ120]", "ok  " } },
    { "a warning is one if asked for", "$L check --strict s/warned.lua", 2, out = { "!ok  " } },
    { "fix makes what is certain, and says so",
        "$L check --fix s/fixable.lua; cat s/fixable.lua", 0,
        err = { "fixed s/fixable.lua:1:24: `:` is now ` =` (LZ002)", "`10s` is now `\"10s\"`",
            "added `,` (LZ003)", "added `local ` (LZ109)", "`400/s` is now `\"400/s\"`" },
        out = { 'duration = "5m", warmup = "10s"', 'local shop = service "shop" { replicas = 2 }',
            "replicas = 3,", 'policy = "fifo"', "concurrency = 64", 'rate = "400/s"',
            "fault.latency { web", "fault.slow {", "bd.primry",
            "error[LZ105]", "error[LZ108]: nothing is called `bd`", "!error[LZ002]" } },
    { "fix leaves what is right alone",
        "cp s/passes.lua p; $L check --fix s/passes.lua; cmp p s/passes.lua", 0,
        err = { "!fixed" } },
    { "fix keeps rights and links", "chmod 640 s/fixable.lua; ln -s fixable.lua s/l.lua; "
        .. "$L check --fix -q s/l.lua >o; stat -c %a s/fixable.lua; readlink s/l.lua; "
        .. "ls s/*.tmp", 2,
        out = { "640", "fixable.lua" } },
    { "fix that cannot write exits 74", "test $(id -u) = 0 && $L check --fix /dev/full; "
        .. "mkdir t; cp s/fixable.lua t; chmod 555 t; test $(id -u) = 0 && exit 74; "
        .. "$L check --fix t/fixable.lua", 74 },
    { "fix twice is fix once", "$L check --fix s/fixable.lua >o 2>e; cp s/fixable.lua f; "
        .. "$L check --fix s/fixable.lua >o 2>e; cmp f s/fixable.lua && cat e", 0,
        err = { "!fixed" } },

    -- Budgets of a stranger's text.
    { "endless recursion is a budget", "$L check s/_recursion.lua", 2,
        out = { "error[LZ510]", "calls itself without end" } },
    { "endless recursion inside the run is a budget", "$L run --keep none s/_recursion_run.lua", 2,
        out = { "LZ510", 'drive "operator"' } },
    { "a check's memory has a limit", "$L check s/greedy.lua", 7, err = { "memory budget" } },
    { "a pattern bomb inside the run meets the wall clock",
        "$L run --keep none --timeout 1s s/_bomb_run.lua", 7 },
    { "binary code is not read", "printf '\\033LuaT' >s/b.lua; $L check s/b.lua", 2,
        out = { "binary code is not read" } },
    { "what editors put before a file is skipped",
        "printf '\\357\\273\\277' | cat - s/passes.lua >b.lua; $L check b.lua; "
        .. "(echo '#!/usr/bin/lorenz'; cat s/passes.lua) >c.lua; $L check c.lua", 0,
        out = { "ok  b.lua", "ok  c.lua" } },

    -- use.
    { "a file beside the scenario can be used", "$L run --keep none s/uses.lua", 0,
        out = { "Everything holds" } },
    { "a module's file may stand in another folder", "cd s; $L check uses.lua", 0 },
    { "a file outside the project is not read",
        "echo 'return {}' >x.lua; sed -i 's,./_shop,../x,' s/uses.lua; $L check s/uses.lua", 2,
        out = { "error[LZ119]: x.lua leads outside the project's folder", "s/uses.lua:2:14" } },
    { "a marked project has its own size", "touch lorenz.conf.lua; mv s/_shop.lua .; "
        .. "sed -i 's,./_shop,../_shop,' s/uses.lua; $L check s/uses.lua", 0 },
    { "a link is judged by where it leads",
        "mv s/_shop.lua x.lua; ln -s ../x.lua s/_shop.lua; $L check s/uses.lua", 2,
        out = { "error[LZ119]: s/_shop.lua leads outside" } },
    { "a linked folder is judged by where it leads",
        "mkdir x; mv s/_shop.lua x; ln -s ../x s/y; sed -i 's,./_shop,./y/_shop,' s/uses.lua; "
        .. "$L check s/uses.lua", 2, out = { "LZ119" } },
    { "an absolute name is no file", "sed -i 's,./_shop,/etc/passwd,' s/uses.lua; "
        .. "$L check s/uses.lua", 2, out = { "LZ117", 'no module "/etc/passwd' } },
    { "a device is not opened", "rm s/_shop.lua; ln -s /dev/zero s/_shop.lua; touch s/.git; "
        .. "$L check s/uses.lua", 2, out = { "LZ119" } },
    { "a pipe is not waited for", "rm s/_shop.lua; mkfifo s/_shop.lua; $L check s/uses.lua", 2,
        out = { "error[LZ117]: s/_shop.lua is not a regular file" } },
    { "a huge module is refused",
        "head -c 1100000 /dev/zero | tr '\\0' ' ' >s/_shop.lua; $L check s/uses.lua", 2,
        out = { "larger than 1024 KiB" } },
    { "a module that uses itself shows the chain",
        "echo 'return use \"./_b.lua\"' >s/_shop.lua; "
        .. "echo 'local M = use \"./_shop.lua\" return M' >s/_b.lua; $L check s/uses.lua", 2,
        out = { "error[LZ118]", "s/_b.lua:1:11", "s/_shop.lua uses s/_b.lua uses" } },
    { "a cycle through links shows the chain",
        "ln -s . s/d; echo 'return use \"./d/_shop.lua\"' >s/_shop.lua; $L check s/uses.lua", 2,
        out = { "error[LZ118]" } },
    { "an error in a module names its file",
        "echo 'local M = {} M.x = nope return M' >s/_shop.lua; $L check s/uses.lua", 2,
        out = { "error[LZ108]", "s/_shop.lua:1:20", "called from s/uses.lua:2" } },
    { "a syntax error in a module names its file",
        "echo 'return { a = 300ms }' >s/_shop.lua; $L check s/uses.lua", 2,
        out = { "error[LZ001]", "s/_shop.lua:1:14" } },
    { "a token knows a module's text",
        "t=$($L run s/uses.lua | grep -o 'lz1-.*'); echo '-- more' >>s/_shop.lua; "
        .. "$L run s/uses.lua --seed $t", 0, err = { "another text" } },

    -- Where results go.
    { "JSON to stdout silences the text", "$L run -o json=- s/passes.lua", 0,
        out = { '"schema":', '"exit_code":', "!✓" } },
    { "JSON to a file leaves the text", "$L run -o json=r.json s/fails.lua; cat r.json; ls", 0,
        out = { "answers come", '"lorenz.result/1"', "!.tmp" } },
    { "JSON to a full disk exits 74", "$L run -o json=/dev/full s/passes.lua", 74,
        out = { "Everything holds" }, err = { "cannot write /dev/full: No space left on device" } },
    { "JSON to no folder exits 74", "$L run -o json=no/r.json s/fails.lua", 74,
        err = { "cannot write no/r.json", "No such file" } },
    { "a full disk under stdout exits 74", "$L run s/passes.lua >/dev/full", 74,
        err = { "cannot write standard output: No space left on device" } },
    { "no stdout at all exits 74", "$L run s/passes.lua >&-", 74, err = { "standard output" } },
    { "a closed pipe keeps the verdict",
        "(sleep 0.2; $L run s/fails.lua; echo $? >code) | true; sleep 1; cat code", 0,
        out = { "1\n" },
        err = { "!lorenz" } },
    { "help into a full disk exits 74", "$L help >/dev/full", 74 },
    { "a folder in the way exits 74, verdict and all", "touch .lorenz; $L run s/fails.lua", 74,
        out = { "answers come" }, err = { "cannot make the folder .lorenz" } },
    { "an unwritable folder exits 74",
        "mkdir .lorenz; ln -s /proc .lorenz/runs; $L run s/passes.lua",
        74, out = { "Everything holds" }, err = { "cannot write .lorenz/runs/passes-1.lzrun" } },
    { "--keep none keeps none",
        "$L run --keep none s/fails.lua >o; ls -A", 0, out = { "!.lorenz" } },
    { "--keep failed keeps what failed",
        "$L run --keep failed s/fails.lua s/passes.lua >o; ls .lorenz/runs", 0,
        out = { "fails-1", "!passes-1" } },

    -- What is shown.
    { "a pipe has no colour", "$L run s/passes.lua", 0, out = { "!\27[" } },
    { "--color always colours", "$L run --color always s/passes.lua", 0, out = { "\27[" } },
    { "CLICOLOR_FORCE colours",
        "$L run s/passes.lua", 0, env = "CLICOLOR_FORCE=1", out = { "\27[" } },
    { "FORCE_COLOR colours", "$L run s/passes.lua", 0, env = "FORCE_COLOR=1", out = { "\27[" } },
    { "NO_COLOR wins over CLICOLOR_FORCE", "$L run s/passes.lua", 0,
        env = "NO_COLOR=1 CLICOLOR_FORCE=1", out = { "!\27[" } },
    { "--color wins over NO_COLOR", "$L run --color=always s/passes.lua", 0, env = "NO_COLOR=1",
        out = { "\27[" } },
    { "an empty NO_COLOR says nothing", "$L run s/passes.lua", 0, env = "NO_COLOR= FORCE_COLOR=1",
        out = { "\27[" } },
    { "a UTF-8 locale has ticks", "$L run s/passes.lua", 0, out = { "✓" } },
    { "LANG=C has none", "$L run s/fails.lua", 1, env = "LANG=C", ascii = true },
    { "LC_ALL wins over LANG", "$L run s/fails.lua", 1, env = "LC_ALL=POSIX", ascii = true },
    { "a dumb terminal has none", "$L run s/fails.lua", 1, env = "TERM=dumb", ascii = true },
    { "--ascii has none", "$L run --ascii s/fails.lua", 1, ascii = true },
    { "every line fits 40 columns", "$L run --width 40 s/fails.lua", 1, width = 40 },
    { "COLUMNS is a width", "$L run s/fails.lua", 1, env = "COLUMNS=60", width = 60 },
    { "eighty columns are the default", "$L run s/fails.lua s/inconclusive.lua", 1, width = 80 },

    -- Sweeps and histories.
    { "a sweep counts and says how sure that makes", "$L sweep s/chancy.lua --progress none", 1,
        width = 80, out = { "seeds 1 to 12", "1 distinct failure", "closest calls", "12 of 12" } },
    { "a sweep without a failure is not sure of none", "$L sweep s/passes.lua --seeds 20", 0,
        out = { "below 14 %", "20 of 20 runs, 0 failed" } },
    { "failing seeds are saved, and run first",
        "$L sweep s/chancy.lua --progress none >t; cat s/seeds/chancy.seeds; "
        .. "$L sweep s/chancy.lua --seeds 1 --progress none", 1,
        out = { "# failing seeds of s/chancy.lua", "# p99 is fine", "still fail" } },
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
    { "a history that holds",
        "echo '{:process 0, :type :invoke, :f :write, :value 1} "
        .. "{:process 0, :type :ok, :f :write, :value 1}' | $L verify-history -m register -", 0,
        out = { "HOLDS", "1 operations on 1 object" } },
    { "a history that is violated, as JSON",
        "echo '{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"} "
        .. "{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":7}' >h; "
        .. "$L verify-history -m register h -o json=-", 1,
        out = { "\"answer\":\"violated\"", "\"not-linearizable\"" } },
    { "a history needs a model", "$L verify-history h", 4, err = { "needs --model NAME" } },
    { "a model has a nearest one", "$L verify-history -m registre h", 4,
        err = { "did you mean \"register\"?" } },
    { "a history that is none", "echo '{' >h; $L verify-history -m set h", 2,
        err = { "h: line 2: a sequence that is never closed" } },

    -- The same command gives the same bytes.
    { "twice gives the same bytes",
        "$L run -o json=a s >t; $L run -o json=b s >u; cmp a b && cmp t u", 0,
        skip = "rm -f s/hangs.lua s/greedy.lua s/runaway.lua; " },
    { "one worker or four give the same bytes",
        "$L run -j1 -o json=a s >t; $L run -j4 -o json=b s >u; cmp a b && cmp t u", 0,
        skip = "rm -f s/hangs.lua s/greedy.lua s/runaway.lua; " },
}

local function widest(text)
    local most = 0
    for line in text:gmatch "[^\n]*" do most = math.max(most, utf8.len(line) or #line) end
    return most
end

-- Nil, or what is not as the row wants it.
local function judge(row, status, out, err)
    if status ~= row[3] then return ("status %s, wanted %d"):format(status, row[3]) end
    for _, stream in ipairs { { row.out, out, "stdout" }, { row.err, err, "stderr" } } do
        for _, text in ipairs(stream[1] or {}) do
            local plain = text:gsub("^!", "")
            local found = stream[2]:find(plain, 1, true) ~= nil
            if found ~= (text == plain) then
                return ("%s %s %q"):format(stream[3], found and "contains" or "lacks", plain)
            end
        end
    end
    if row.ascii and out:find "[\128-\255]" then return "stdout is not 7-bit" end
    if row.width and widest(out) > row.width then return widest(out) .. " columns" end
end

local failed = 0
print("1.." .. #rows)
for i, row in ipairs(rows) do
    local status, out, err = run((row.skip or "") .. row[2], row.env)
    local wrong = judge(row, status, out, err)
    print(("%s %d - %s"):format(wrong and "not ok" or "ok", i, row[1]))
    if wrong then
        failed = failed + 1
        print(("# %s\n# %s\n%s"):format(row[2], wrong, ("stdout:\n" .. out .. "stderr:\n" .. err)
            :gsub("[^\n]+", "#   %0")))
    end
end
os.exit(failed == 0, true)
