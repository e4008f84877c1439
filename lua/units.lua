--- Quantities with units, as people write them: "150ms", "1m30s", "400/s", "1KiB", "0.1%".
---
--- Inside, a duration is an integer of nanoseconds, a rate is per second, a size is bytes, a
--- share is 0 to 1. A bare number is refused where a unit is needed.
---
--- ```lua
--- units.duration("1m30s")   --> 90000000000
--- units.duration(500)       --> nil, "LZ201", "a duration needs a unit: 500 what?", ...
--- ```
local M = {}

local DURATION = { ns = 1, us = 1e3, ms = 1e6, s = 1e9, m = 60e9, h = 3600e9, d = 86400e9 }
local SIZE = { B = 1, kB = 1e3, MB = 1e6, GB = 1e9, TB = 1e12,
    KiB = 1024, MiB = 1048576, GiB = 1073741824, TiB = 1099511627776 }
local COUNT = { [""] = 1, k = 1e3, M = 1e6 }
local DURATION_MAX = 2 ^ 62
local SIZE_MAX = 1e18 -- above it, a whole number of bytes could overflow

local function number_text(n)
    if n ~= n then return "nan" end -- its sign is the processor's
    if math.type(n) == "float" and n == math.floor(n) and math.abs(n) < 1e15 then
        return ("%d"):format(n)
    end
    return tostring(n)
end

local function refuse(code, text, help) return nil, code, text, help end

-- What others call a unit of ours.
local CALLED = {
    millis = "ms", millisecond = "ms", milliseconds = "ms",
    usec = "us", micros = "us", microsecond = "us", microseconds = "us",
    sec = "s", secs = "s", second = "s", seconds = "s", min = "m", mins = "m", minute = "m",
    minutes = "m", hr = "h", hrs = "h", hour = "h", hours = "h", day = "d", days = "d",
}

--- The unit the text seems to have, if it is none of ours.
local function unknown_unit(kind, unit, known)
    local ours = kind == "a duration" and CALLED[unit]
    return refuse("LZ202", ("unknown unit `%s` in %s"):format(unit, kind),
        (ours and ("`%s` is written `%s`; "):format(unit, ours) or "") .. "units are " .. known)
end

local function not_this(what, v)
    return refuse("LZ203", ("expected %s, got %s"):format(what, M.kind_of(v)))
end

local function no_unit(n)
    if not tonumber(n) or tonumber(n) ~= tonumber(n) or math.abs(tonumber(n)) == math.huge then
        return refuse("LZ201", ("a duration needs a unit: %s what?"):format(n),
            'write "150ms", "2s" or "1m30s"')
    end
    return refuse("LZ201", ("a duration needs a unit: %s what?"):format(n),
        ('write "%sms", "%ss" or "%sm"'):format(n, n, n))
end

---@param v any
---@return integer? ns, string? code, string? text, string? help
function M.duration(v)
    if getmetatable(v) == "duration" then return v.ns end -- dur("30s") + dur("5s")
    if type(v) == "number" then return no_unit(number_text(v)) end
    if type(v) ~= "string" then return not_this('a duration such as "150ms"', v) end
    local plain, its_unit = v:match "^(%d+)(%a+)$" -- nearly all; below 10000 days
    if plain and #plain < 5 and DURATION[its_unit] then
        return math.floor(tonumber(plain) * DURATION[its_unit] + 0.5)
    end
    if v:match "^%s*$" then return not_this('a duration such as "150ms"', v) end
    local ns, rest = 0, v:gsub("%s", "")
    if rest:match "%d[eE][%+%-]?%d" then
        return refuse("LZ203", ('"%s" is not a duration: its numbers have no exponent'):format(v),
            'write "2500s", not "2.5e3s"; at most 146 years')
    end
    while rest ~= "" do
        local number, unit, after = rest:match "^(%d*%.?%d*)(%a*)(.*)$"
        if not tonumber(number) then
            return refuse("LZ203", ('"%s" is not a duration'):format(v),
                'write "150ms", "2s" or "1m30s"')
        end
        if unit == "" then return no_unit(v) end
        if not DURATION[unit] then return unknown_unit("a duration", unit, "ns us ms s m h d") end
        ns = ns + tonumber(number) * DURATION[unit]
        rest = after
    end
    if ns >= DURATION_MAX then
        return refuse("LZ206", ('"%s" is longer than 146 years'):format(v),
            "leave it out where its default is to the end or for ever")
    end
    return math.floor(ns + 0.5)
end

--- A duration that may lie below zero: "-5s".
function M.offset(v)
    local minus = type(v) == "string" and v:match "^%s*%-(.*)$"
    local ns, code, text, help = M.duration(minus or v)
    return ns and minus and -ns or ns, code, text, help
end

--- Nanoseconds as people write them: "1m30s", "800ms".
function M.duration_text(ns)
    if ns == 0 then return "0s" end
    local out, left = {}, ns
    for _, unit in ipairs { "h", "m", "s", "ms", "us", "ns" } do
        local n = left // math.tointeger(DURATION[unit])
        if n > 0 then out[#out + 1] = ("%d%s"):format(n, unit) end
        left = left % math.tointeger(DURATION[unit])
    end
    return table.concat(out)
end

---@param v any
---@return number? per_second, string? code, string? text, string? help
function M.rate(v)
    if type(v) == "number" or (type(v) == "string" and tonumber(v)) then
        local n = type(v) == "number" and number_text(v) or v
        return refuse("LZ201", ("a rate needs a unit: %s per what?"):format(n),
            ('write "%s/s"'):format(n))
    end
    if type(v) ~= "string" then return not_this('a rate such as "400/s"', v) end
    local number, scale, per = v:gsub("%s", ""):match "^([%d%.]+[eE]?%+?%d*)(%a*)/(%a+)$"
    local n = tonumber(number)
    if not n then
        return refuse("LZ203", ('"%s" is not a rate'):format(v), 'write "400/s" or "5k/s"')
    end
    if not COUNT[scale] then return unknown_unit("a rate", scale, 'k and M, as in "5k/s"') end
    if not DURATION[per] then return unknown_unit("a rate", per, "/s /m /h") end
    return n * COUNT[scale] / (DURATION[per] / 1e9)
end

-- A share as a number, whatever it is.
local function read_share(v)
    if type(v) == "number" then return v end
    if type(v) ~= "string" then return not_this('a share such as "0.1%"', v) end
    local percent = tonumber(v:gsub("%s", ""):match "^([%d%.]+)%%$" or "")
    local n = percent and percent / 100 or tonumber(v)
    if not n then
        return refuse("LZ203", ('"%s" is not a share'):format(v), 'write "0.1%" or 0.001')
    end
    return n
end

---@param v any
---@return number? share, string? code, string? text, string? help
function M.ratio(v)
    local n, code, text, help = read_share(v)
    if n and not (n >= 0 and n <= 1) then
        return refuse("LZ206",
            ("a share lies between 0 and 1, or 0%% and 100%%, got %s"):format(M.show(v)),
            tonumber(v) and n > 1 and n <= 100 and ('write "%g%%"'):format(n) or nil)
    end
    return n and n + 0.0, code, text, help
end

--- A share of what there is, which may be more than all of it: "150%".
---@param v any
---@return number? share, string? code, string? text, string? help
function M.share(v)
    local n, code, text, help = read_share(v)
    if n and not (n >= 0 and n < math.huge) then
        return refuse("LZ206", ("must be at least 0%%, got %s"):format(M.show(v)))
    end
    return n and n + 0.0, code, text, help
end

---@param v any
---@return number? bytes, string? code, string? text, string? help
function M.size(v)
    if type(v) == "number" then
        local n = number_text(v)
        return refuse("LZ201", ("a size needs a unit: %s what?"):format(n),
            ('write "%sB", "%sKiB" or "%sMiB"'):format(n, n, n))
    end
    if type(v) ~= "string" then return not_this('a size such as "1KiB"', v) end
    local number, unit = v:gsub("%s", ""):match "^([%d%.]+)(%a+)$"
    if not tonumber(number) then
        return refuse("LZ203", ("%s is not a size"):format(M.show(v)), 'write "1KiB"')
    end
    if not SIZE[unit] then return unknown_unit("a size", unit, "B KiB MiB GiB TiB kB MB GB TB") end
    local bytes = tonumber(number) * 1.0 * SIZE[unit] -- as integers they would wrap around
    if bytes > SIZE_MAX then
        return refuse("LZ206", ("%s is more than 1e18 bytes"):format(M.show(v)),
            'write at most "900000000GiB"')
    end
    return math.tointeger(bytes) or bytes
end

--- Bytes per second, from "10Mbit/s" or "1MiB/s".
---@return number? bytes_per_second, string? code, string? text, string? help
function M.bandwidth(v)
    if type(v) == "number" then
        local n = number_text(v)
        return refuse("LZ201", ("a bandwidth needs a unit: %s what?"):format(n),
            ('write "%sMbit/s" or "%sMiB/s"'):format(n, n))
    end
    if type(v) ~= "string" then return not_this('a bandwidth such as "10Mbit/s"', v) end
    local text = v:gsub("%s", "")
    local bits, scale = text:match "^([%d%.]+)([kMG]?)bit/s$"
    if tonumber(bits) then
        return tonumber(bits) * ({ [""] = 1, k = 1e3, M = 1e6, G = 1e9 })[scale] / 8
    end
    local number, unit = text:match "^([%d%.]+)(%a+)/s$"
    if tonumber(number) and SIZE[unit] then return tonumber(number) * SIZE[unit] end
    return refuse("LZ203", ("%s is not a bandwidth"):format(M.show(v)),
        'write "10Mbit/s" or "1MiB/s"')
end

local SHOWN_MAX = 60

local function cut(v) return #v > SHOWN_MAX and v:sub(1, SHOWN_MAX) .. "..." or v end

--- What a value is, in words for a message.
function M.kind_of(v)
    local t = type(v)
    if t == "table" then
        local mt = getmetatable(v)
        local kind = type(mt) == "table" and mt.lz_kind or type(mt) == "string" and mt
        return kind and M.article(kind) .. kind or "a table"
    end
    if t == "string" then return ('"%s"'):format(cut(v)) end
    if t == "nil" then return "nothing" end
    if t == "number" then return "the number " .. number_text(v) end
    if t == "boolean" then return tostring(v) end
    return "a " .. t
end

--- What stands before a word of ours.
function M.article(word) return word:find "^[aeiou]" and "an " or "a " end

--- A key of a table or the name of a field, whatever it is; never an address.
function M.key(v)
    if type(v) == "string" then return cut(v) end
    return M.show(v)
end

--- A value as it was written.
function M.show(v)
    if type(v) == "string" then return ('"%s"'):format(cut(v)) end
    if type(v) == "number" then return number_text(v) end
    return M.kind_of(v)
end

return M
