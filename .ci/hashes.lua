-- hashes.lua — trace hashes out of a result, one line per run: file, case, hash.
--
--     lua5.4 .ci/hashes.lua result.json
--
-- Enough JSON is read here to find them: strings are skipped as strings, so that no
-- text of a scenario can pass for a key.

local file <close> = assert(io.open(arg[1]))
local text = file:read "a"

-- Every string of the document in order; a run's keys come in a fixed order.
local strings = {}
local at = 1
while true do
    local open = text:find('"', at, true)
    if not open then break end
    local close = open + 1
    while text:sub(close, close) ~= '"' do
        close = close + (text:sub(close, close) == "\\" and 2 or 1)
    end
    strings[#strings + 1] = text:sub(open + 1, close - 1)
    at = close + 1
end

local name
for i, key in ipairs(strings) do
    if key == "file" then
        name = strings[i + 1]
    elseif key == "case" then
        local k = i + 1
        while strings[k] ~= "seed" do
            name = name .. " " .. strings[k]
            k = k + 1
        end
    elseif key == "trace_hash" then
        print(name, strings[i + 1])
    end
end
