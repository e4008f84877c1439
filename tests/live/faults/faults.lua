-- faults.lua — faults on a real server: each is seen, and nothing is left of it.
--
--     lua5.4 faults.lua LORENZ SERVER FOLDER
--
-- A run is good when it passes: a fault whose effect was not observed makes it inconclusive.
-- Afterwards, and after Lorenz was killed in mid-fault, its watchdog too, there is no program,
-- mount, control group or burner of the run any more. What this machine does not allow is left out,
-- and counted.

local folder = arg[3]
local count, failed = 0, 0

local function say(ok, name, more)
    count = count + 1
    if not ok then failed = failed + 1 end
    print(("%s %d - %s"):format(ok and "ok" or "not ok", count, name))
    if more and (not ok or more:find "^#") then print((more:gsub("\n*$", ""):gsub("^([^#])", "# %1")
        :gsub("\n", "\n# "))) end
end

local function output(command)
    local pipe <close> = assert(io.popen(command .. " 2>&1"))
    return pipe:read "a"
end

local function trim(text) return (text:gsub("%s+$", "")) end

-- Whole paths: what is run here is run elsewhere.
local lorenz = trim(output(("readlink -f '%s'"):format(arg[1])))
local server = trim(output(("readlink -f '%s'"):format(arg[2])))
local temp = trim(output "mktemp -d")
local run_in = ("cd '%s' && XDG_STATE_HOME='%s/state' "):format(temp, temp)
assert(os.execute(("ln -s '%s' '%s/server'"):format(server, temp)))

local can_mount = output(("cd '%s' && mkdir disk && mount -t tmpfs lorenz disk && umount disk "
    .. "&& echo yes; rmdir disk"):format(temp)):find "yes"

local has_clock = output "ls /usr/lib/*/faketime/libfaketimeMT.so.1 && echo yes":find "yes"

-- With `change` a text with another instead of it, per line.
local function copy(name, change)
    local from <close> = assert(io.open(folder .. "/" .. name .. ".lua"))
    local to <close> = assert(io.open(temp .. "/" .. name .. ".lua", "w"))
    for line in from:lines() do
        local is_possible = (can_mount or not line:find "@disk")
            and (has_clock or not line:find "@clock")
        if is_possible then to:write(change and change(line) or line, "\n") end
    end
end

-- What is left: nothing, or a list.
local function left()
    local here = trim(output(("readlink -f '%s'"):format(temp)))
    local found = {}
    for _, command in ipairs {
        ("grep -F '%s' /proc/mounts"):format(here),
        "find /sys/fs/cgroup -maxdepth 3 -type d -name 'lorenz-*'",
        -- Whatever a run starts is started in its folder: proxy, burners, watchdog, programs.
        ("for p in /proc/[0-9]*; do case $(readlink $p/cwd) in %s*) "
            .. "tr '\\0' ' ' <$p/cmdline; echo $p;; esac; done"):format(here),
    } do
        local text = trim(output(command))
        if text ~= "" then found[#found + 1] = text end
    end
    return table.concat(found, "\n")
end

local function is_clean(name)
    local rest
    for _ = 1, 600 do
        rest = left()
        if rest == "" then break end
        os.execute "sleep 0.1"
    end
    say(rest == "", name, rest)
end

for _, name in ipairs { "network", "toxiproxy", "machine" } do
    copy(name)
    local command = ("'%s' live --allow-run %s.lua; echo exit $?"):format(lorenz, name)
    local text = output(run_in .. command)
    local is_late = text:find "could not send them in time"
    if is_late then
        say(true, name .. " # SKIP this machine is too busy to send requests in time")
    else
        say(text:find "exit 0\n$" ~= nil,
            name .. ": every fault is observed, and what must hold holds", text)
    end
    is_clean(name .. ": nothing is left behind")
end
if not has_clock then say(true, "clock_skew # SKIP libfaketime is not installed") end
if not can_mount then say(true, "disk_full # SKIP no tmpfs can be mounted here") end

-- Killed while the throttle and the full disk are in force, which now go on for long: the watchdog
-- undoes it, and where that is killed too `lorenz recover` does. In namespaces packets are held.
local has_spaces = not output(("'%s' doctor --live"):format(lorenz)):find "no +namespaces"
local function hold_for_long(is_apart)
    copy("machine", function(line)
        if line:find "^fault" and not line:find 'at = "5s"' then return "" end
        line = line:gsub('at = "5s", lasting = "3s"', 'at = "200ms", lasting = "10m"')
            :gsub('duration = "9s"', is_apart and 'duration = "11m", network = "namespaces"'
                or 'duration = "11m"')
        local user = [[
local users = traffic "users" { to = web, op = "GET /", rate = "5/s" }
fault.latency { link(users, web), add = "40ms", at = "100ms", lasting = "10m" }
]]
        return line:find "^local clock" and user .. line or line
    end)
end
-- Written down before it is done: the log's head, the program, and for each fault something.
local wanted = 3 + (can_mount and 1 or 0)
local function kill_in_mid_fault(name, is_apart, is_alone)
    hold_for_long(is_apart)
    os.execute(run_in .. ("sh -c 'exec \"%s\" live --allow-run machine.lua >killed.txt 2>&1 & "
        .. "echo $! >pid'"):format(lorenz))
    local held
    for _ = 1, 600 do
        held = tonumber(output(run_in .. "cat state/lorenz/live/*.undo 2>/dev/null | wc -l")) or 0
        if held >= wanted then break end
        os.execute "sleep 0.1"
    end
    say(held >= wanted and left() ~= "", name .. ": before it is killed, something is held",
        output(run_in .. "cat killed.txt"))
    os.execute(run_in .. "kill -KILL " .. (is_alone
        and "$(cat pid)" or "$(pgrep -P $(cat pid) -x lorenz-watchdog) $(cat pid)"))
    if not is_alone then
        local there = output(run_in .. "sleep 1; ls state/lorenz/live")
        say(there:find "%.undo" ~= nil and left() ~= "",
            name .. ": nobody has undone anything, as nobody is left to", there)
        local said = output(run_in .. ("'%s' recover; echo exit $?"):format(lorenz))
        say(said:find "exit 0\n$" ~= nil, name .. ": recover undoes it", said)
    end
    is_clean(name .. ": nothing is left behind")
end
kill_in_mid_fault("lorenz is killed", false, true)
kill_in_mid_fault("its watchdog too", false, false)
if has_spaces then
    kill_in_mid_fault("both, in namespaces", true, false)
else
    say(true, "namespaces # SKIP none can be made here")
end

os.execute(("rm -rf '%s'"):format(temp))
print("1.." .. count)
os.exit(failed == 0)
