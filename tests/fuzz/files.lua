--- What the fuzz programs share: texts in files, and commands that end.
---
--- All commands of a program have `PATIENCE` seconds together: less than what meson gives the test
--- (300 s, four times in the suite's ordinary set-up), so that the program says itself which of
--- them hung and what it had printed, in place of being ended without a word.
local M = {}

local PATIENCE <const> = 1000
local begun = os.time()

---@param path string
---@return string
function M.read(path)
    local file <close> = assert(io.open(path))
    return file:read "a"
end

---@param path string
---@param text string
function M.write(path, text)
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
end

--- A folder that is there, and empty.
---@param folder string
function M.clear(folder)
    os.execute(("rm -rf '%s' && mkdir -p '%s'"):format(folder, folder))
end

--- Run a command of the shell. One that does not end is ended, with the status 124.
---@param command string
---@param seconds? integer  of its own; default what is left for all
---@return string text    what it printed, errors too
---@return integer status
function M.run(command, seconds)
    local left = math.max(1, PATIENCE - (os.time() - begun))
    local pipe = assert(io.popen(("timeout -k 5 %d sh -c '%s' 2>&1; echo \"exit $?\""):format(
        math.min(left, seconds or left), (command:gsub("'", "'\\''")))))
    local text = pipe:read "a"
    pipe:close()
    local body, status = text:match "^(.-)exit (%d+)\n$"
    if status == "124" then
        body = body .. ("\nhung: it had %d s, and all of this program have %d\n"):format(
            math.min(left, seconds or left), PATIENCE)
    end
    return body, tonumber(status)
end

return M
