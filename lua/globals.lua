--- Globals that a function would make when it runs: found in the text, because loading a scenario
--- runs no `drive` and no handler.
---
--- A walk over the words with the scopes that Lua has. In a block, `name =` is an assignment and
--- nothing else; inside braces it is a field.
local M = {}

local function new_scope(above) return setmetatable({}, { __index = above }) end

local Walk = {}
Walk.__index = Walk

function Walk:text(i)
    local w = self.words[i]
    return w and w.kind ~= "string" and w.text or nil
end

function Walk:is_name(i)
    local w = self.words[i]
    return w ~= nil and w.kind == "name" and not self.keywords[w.text]
end

function Walk:push(word)
    self.scope = new_scope(self.scope)
    self.open[#self.open + 1] = { word = word, scope = self.scope }
end

function Walk:pop()
    if #self.open == 0 then return end -- of a text that does not compile
    self.open[#self.open] = nil
    self.scope = self.open[#self.open] and self.open[#self.open].scope or self.top
end

--- Names separated by commas from word i on, declared in `into`; the word after them.
function Walk:declare(i, into)
    while self:is_name(i) do
        into[self.words[i].text] = true
        i = i + 1
        if self:text(i) == "<" then i = i + 3 end -- <const>
        if self:text(i) ~= "," then return i end
        i = i + 1
    end
    return i
end

function Walk:complain(i)
    local w = self.words[i]
    if not self.scope[w.text] then self.found[#self.found + 1] = w end
end

--- `function [name] (parameters)`: word i is `function`.
function Walk:begin_function(i, is_local)
    local first = i + 1
    if self:is_name(first) then
        if is_local then self.scope[self.words[first].text] = true
        elseif self:text(first + 1) == "(" then self:complain(first) end
        i = first
        while self:text(i) ~= "(" and self.words[i] do i = i + 1 end
    else
        i = first
    end
    self:push "function"
    self.scope.self = true
    i = self:declare(i + 1, self.scope)
    while self.words[i] and self:text(i) ~= ")" do i = i + 1 end
    return i
end

--- Word i is a name before `=`, outside of braces: it and those before its commas are assigned.
function Walk:assign(i)
    while self:is_name(i) do
        local before = self:text(i - 1)
        if before ~= "." and before ~= ":" then self:complain(i) end
        if before ~= "," then return end
        i = i - 2
    end
end

local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

--- One word; returns the index of the last one that it took.
function Walk:step(i)
    local text, top = self:text(i), self.open[#self.open]
    if text == "local" then
        if self:text(i + 1) == "function" then return self:begin_function(i + 1, true) end
        return self:declare(i + 1, self.scope) - 1
    elseif text == "function" then
        return self:begin_function(i, false)
    elseif text == "for" then
        self.pending = {}
        return self:declare(i + 1, self.pending) - 1
    elseif text == "do" or text == "then" or text == "repeat" then
        self:push(text)
        for name in pairs(text == "do" and self.pending or {}) do self.scope[name] = true end
        if text == "do" then self.pending = nil end
    elseif text == "elseif" or text == "else" then
        self:pop()
        if text == "else" then self:push "else" end
    elseif text == "{" or text == "(" or text == "[" then
        self:push(text)
    elseif CLOSES[text] then
        self:pop()
    elseif text == "=" and not self.pending and self:is_name(i - 1)
        and not (top and top.word:find "^[{(%[]$") then
        self:assign(i - 1)
    end
    return i
end

--- The words of a file that would make globals.
---@param keywords table<string, boolean>
function M.find(words, keywords)
    local top = {}
    local walk = setmetatable({ words = words, keywords = keywords, open = {}, top = top,
        scope = top, found = {} }, Walk)
    local i = 1
    while words[i] do i = walk:step(i) + 1 end
    return walk.found
end

return M
