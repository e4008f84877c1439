-- shells.lua — completions, in the shells that are there.
--
--     lua5.4 tests/docs/shells.lua path/to/lorenz
--
-- Each shell loads what `lorenz completions` prints for it and completes the beginning of a
-- command line. A row is a beginning and words that must (or, after "!", must not) be offered.

local binary = arg[1]

local function output(command)
    local pipe <close> = assert(io.popen(command))
    return pipe:read "a"
end

local folder = output "mktemp -d":gsub("\n", "")
os.execute(("ln -s '%s' '%s/lorenz'; touch '%s/a.lua' '%s/b.txt'"):format(binary, folder, folder,
    folder))

local rows = {
    { "chec", "check" },
    { "", "run explain" },
    { "run --se", "--seed --set" },
    { "run --color ", "always never auto" },
    { "run --keep f", "failed !all" },
    { "run --jobs ", "auto" },
    { "run -o js", "json=" },
    { "run ", "a.lua" },
    { "run ", "!b.txt", except = "fish" }, -- which offers other files too, after these
    { "explain fault.lat", "fault.latency !fault.loss" },
    { "explain LZ20", "LZ201 LZ202 !LZ101" },
    { "help ch", "check" },
    { "completions ", "bash zsh fish" },
    { "check --col", "--color !--seed" },
}

local function write(name, text)
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    file:write(text)
end

local function run(command)
    return output(("cd '%s' && PATH=\"$PWD:$PATH\" %s 2>/dev/null"):format(folder, command))
end

local shells = {
    bash = function(line)
        local words, count = "lorenz", 0
        for word in (line .. "\1"):gsub(" \1$", " ''"):gsub("\1", ""):gmatch "%S+" do
            words = words .. " " .. word
            count = count + 1
        end
        if line == "" then words, count = "lorenz ''", 1 end
        write("ask.bash", ("source ./c.bash\nCOMP_WORDS=(%s)\nCOMP_CWORD=%d\n_lorenz\n"
            .. "printf '%%s\\n' \"${COMPREPLY[@]}\"\n"):format(words, count))
        return run "bash --norc ask.bash"
    end,
    fish = function(line)
        return run(("fish --no-config -c 'source c.fish; complete -C \"lorenz %s\"'"):format(line))
    end,
    -- A terminal of its own: two tabs list what there is; a key prints the line as it is then.
    -- Keys are sent when the line editor says that it reads, and what is waited for is written in
    -- halves, so that the terminal's echo of these lines is not taken for it.
    zsh = function(line)
        write("ask.zsh", ([[
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PROMPT= RPROMPT=; LISTMAX=1000; unsetopt prompt_cr prompt_sp; autoload -Uz compinit'
zpty -w z 'compinit -D -u; source ./c.zsh; setopt auto_list no_list_ambiguous no_beep'
zpty -w z 'show() { print -r -- "<$BUFFER>E""ND" }; zle -N show; bindkey "^X" show'
zpty -w z 'zle-line-init() { print -r -- "REA""DY" }; zle -N zle-line-init'
zpty -r -m z said '*READY*'
zpty -n -w z $'lorenz %s\t\t\x18'
zpty -r -m z said '*>END*'
print -r -- $said
zpty -d z
]]):format(line))
        return (run "timeout 20 zsh -f ask.zsh":gsub("\27%[[%d;?]*%a", " "))
    end,
}

local n, failed = 0, 0
for _, shell in ipairs { "bash", "fish", "zsh" } do
    if os.execute(("command -v %s >/dev/null"):format(shell)) then
        write("c." .. shell, run("lorenz completions " .. shell))
        for _, row in ipairs(rows) do
            local offered, wrong = shells[shell](row[1]), nil
            for word in (row.except == shell and "" or row[2]):gmatch "%S+" do
                local plain = word:gsub("^!", "")
                local found = ("\n" .. offered):find("[%s<(/]" .. plain:gsub("%p", "%%%0")
                    .. "[%s>)=]") ~= nil
                if found ~= (plain == word) then wrong = wrong or word end
            end
            n = n + 1
            if wrong then failed = failed + 1 end
            print(("%s %d - %s completes `lorenz %s`"):format(wrong and "not ok" or "ok", n, shell,
                row[1]))
            if wrong then print("# " .. wrong .. "\n# " .. offered:gsub("[\n\r]+", "\n# ")) end
        end
    end
end
os.execute("rm -rf '" .. folder .. "'")
print("1.." .. n)
os.exit(failed == 0 and n > 0, true)
