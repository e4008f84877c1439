--- What can be taken out of a scenario's text, or made smaller, and where that stands.
---
--- An *atom* is a statement, an item of a table (`retries = 3`, an element of a list) or a literal
--- with an amount ("4m", 900). Each has its bytes, what it is about, and the atom around it; a text
--- with some of them left out or replaced is a scenario again, as long as nothing refers to what is
--- gone: whoever edits it finds that out by loading it.
---
--- ```lua
--- atoms.find 'fault.kill { db, at = "4m" }'
--- --> { { kind = "statement", role = "fault", label = "fault.kill db", first = 1, last = 29 },
---      { kind = "item", label = "at", ... }, { kind = "literal", text = '"4m"', ... } }
--- ```
local lexer = require "lexer"

local M = {}

--- Words that make something other than a component.
local ROLES = {
    scenario = "scenario", param = "param", use = "use", expect = "expect", slo = "expect",
    traffic = "traffic", region = "place", host = "place", cloud = "place", link = "component",
    chaos = "fault",
    drive = "drive", handler = "drive", dist = "other", mark = "drive", log = "drive",
}

local OPERATORS = {}
for op in ("+ - * / ^ % & | ~ < > == ~= <= >= . and or"):gmatch "%S+" do OPERATORS[op] = true end
local DOUBLED = { ["."] = true, ["/"] = true, ["<"] = true, [">"] = true }
local UNARY = { ["not"] = true, ["-"] = true, ["#"] = true, ["~"] = true }
local ENDS = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }

--- Words with the bytes they take.
local function tokens(source)
    local words, starts = lexer.words(source), { 1 }
    for at in source:gmatch "\n()" do starts[#starts + 1] = at end
    for _, w in ipairs(words) do
        w.first = starts[w.line] + w.col - 1
        w.last = w.first + #w.text - 1
    end
    return words
end

local function reader(source)
    return { source = source, words = tokens(source), i = 1, atoms = {}, depth = 0, parent = 0 }
end

local function text(r, ahead)
    local w = r.words[r.i + (ahead or 0)]
    return w and w.text or ""
end

local function kind(r)
    local w = r.words[r.i]
    return w and w.kind or "end"
end

local function skip(r, n) r.i = r.i + (n or 1) end

--- What is not Lua as this reads it: whoever asked gets no atoms.
local function expect(r, what)
    if text(r) ~= what then error { expected = what } end
    skip(r)
end

local function add(r, atom)
    atom.parent = r.parent
    r.atoms[#r.atoms + 1] = atom
    return #r.atoms
end

local expression, block

local function expressions(r)
    expression(r)
    while text(r) == "," do
        skip(r)
        expression(r)
    end
end

local function enter(r)
    r.depth = r.depth + 1
    if r.depth > 150 then error { expected = "less depth" } end
end

--- A text's content where it is short, for labels.
local function unquoted(word)
    return word:match '^"(.*)"$' or word:match "^'(.*)'$" or word
end

--- `{ a, b = 1 }`; each item is an atom.
local function constructor(r)
    expect(r, "{")
    enter(r)
    while text(r) ~= "}" do
        local first = r.words[r.i]
        if not first then error { expected = "}" } end
        local key
        local index = add(r, { kind = "item", first = first.first, line = first.line })
        local outer = r.parent
        r.parent = index
        if first.kind == "name" and text(r, 1) == "=" then
            key = first.text
            skip(r, 2)
        elseif text(r) == "[" then
            skip(r)
            expression(r)
            expect(r, "]")
            expect(r, "=")
            key = "[]"
        end
        local value = r.words[r.i]
        r.atoms[index].key = key or value and unquoted(value.text) or ""
        r.atoms[index].is_list = key == nil
        expression(r)
        r.parent = outer
        r.atoms[index].last = r.words[r.i - 1].last
        if text(r) == "," or text(r) == ";" then
            r.atoms[index].last = r.words[r.i].last
            skip(r)
        elseif text(r) ~= "}" then
            error { expected = "}" }
        end
    end
    r.depth = r.depth - 1
    skip(r)
end

local function body(r)
    expect(r, "(")
    while text(r) ~= ")" do
        if kind(r) == "end" then error { expected = ")" } end
        skip(r)
    end
    skip(r)
    block(r)
    expect(r, "end")
end

local function is_arguments(r)
    return text(r) == "(" or text(r) == "{" or kind(r) == "string"
end

local function arguments(r)
    if text(r) == "{" then
        constructor(r)
    elseif kind(r) == "string" then
        skip(r)
    else
        expect(r, "(")
        if text(r) ~= ")" then expressions(r) end
        expect(r, ")")
    end
end

local function suffixes(r)
    while true do
        if text(r) == "." and text(r, 1) ~= "." then skip(r, 2)
        elseif text(r) == "[" then
            skip(r)
            expression(r)
            expect(r, "]")
        elseif text(r) == ":" and text(r, 1) ~= ":" then
            skip(r, 2)
            arguments(r)
        elseif is_arguments(r) then arguments(r)
        else return end
    end
end

--- `-3` is a literal too, but not one to be made smaller.
local function literal(r)
    local w = r.words[r.i]
    add(r, { kind = "literal", first = w.first, last = w.last, line = w.line, label = "",
        text = w.text })
    skip(r)
end

--- A param may stand anywhere, `replicas = param("replicas", { 1, 3 })`: its values are its own,
--- not the field's.
local function parameter(r)
    skip(r)
    local name
    for ahead = 0, 1 do
        local w = r.words[r.i + ahead]
        if w and w.kind == "string" then name = unquoted(w.text) end
    end
    local before = #r.atoms
    suffixes(r)
    for i = before + 1, #r.atoms do r.atoms[i].param = name end
end

local function simple(r)
    local t = text(r)
    if kind(r) == "number" then
        literal(r)
    elseif kind(r) == "string" then
        if text(r):find "^[\"']%d" then literal(r) else skip(r) end
        suffixes(r)
    elseif t == "." then
        skip(r, 3) -- the dots of a vararg
    elseif t == "{" then
        constructor(r)
    elseif t == "function" then
        skip(r)
        body(r)
    elseif t == "(" then
        skip(r)
        expression(r)
        expect(r, ")")
        suffixes(r)
    elseif t == "param" and kind(r) == "name" then
        parameter(r)
    elseif kind(r) == "name" then
        skip(r)
        if t ~= "nil" and t ~= "true" and t ~= "false" then suffixes(r) end
    else
        error { expected = "an expression" }
    end
end

function expression(r)
    enter(r)
    while true do
        while UNARY[text(r)] do skip(r) end
        simple(r)
        local op = text(r)
        if not OPERATORS[op] or (op == "." and text(r, 1) ~= ".") then break end
        skip(r)
        if DOUBLED[op] and text(r) == op then skip(r) end
    end
    r.depth = r.depth - 1
end

--- What a statement calls, as words: `fault.kill`, and what it is called with first.
local function describe(r, first, last)
    local i, name = first, {}
    while i <= last and r.words[i].kind == "name" do
        name[#name + 1] = r.words[i].text
        if not (r.words[i + 1] and r.words[i + 1].text == ".") then break end
        i = i + 2
    end
    local subject
    for k = i + 1, math.min(i + 3, last) do
        local w = r.words[k]
        if w.kind == "string" then subject = unquoted(w.text) break end
        if w.kind == "name" then
            subject = w.text
            while r.words[k + 1] and r.words[k + 1].text == "." and k + 2 <= last do
                subject = subject .. "." .. r.words[k + 2].text
                k = k + 2
            end
            break
        end
        if w.text ~= "{" and w.text ~= "(" then break end
    end
    return table.concat(name, "."), subject
end

local function classify(callee, subject)
    local root = callee:match "^[%w_]+"
    if root == "fault" then return "fault" end
    if not root then return "other" end
    return ROLES[root] or subject and "component" or "other"
end

local function statement_end(r, index, first)
    local atom = r.atoms[index]
    atom.last = r.words[r.i - 1].last
    local at = first
    if r.words[at].text == "local" then -- local name = call ...
        while r.words[at] and r.words[at].text ~= "=" and at < r.i do at = at + 1 end
        at = at + 1
    elseif r.words[at + 1] and r.words[at + 1].text == "=" then
        at = at + 2
    end
    local callee, subject = describe(r, at, r.i - 1)
    atom.role = classify(callee, subject)
    atom.label = subject and callee .. " " .. subject or callee ~= "" and callee or "a line"
    atom.name = subject
end

local function after_block(r)
    block(r)
    expect(r, "end")
end

local control = {}

control["if"] = function(r)
    repeat
        skip(r)
        expression(r)
        expect(r, "then")
        block(r)
    until text(r) ~= "elseif"
    if text(r) == "else" then
        skip(r)
        block(r)
    end
    expect(r, "end")
end

control["while"] = function(r)
    skip(r)
    expression(r)
    expect(r, "do")
    after_block(r)
end

control["for"] = function(r)
    skip(r)
    while kind(r) == "name" and text(r) ~= "in" or text(r) == "," do skip(r) end
    skip(r)
    expressions(r)
    expect(r, "do")
    after_block(r)
end

control["do"] = function(r)
    skip(r)
    after_block(r)
end

control["repeat"] = function(r)
    skip(r)
    block(r)
    expect(r, "until")
    expression(r)
end

control["function"] = function(r)
    skip(r)
    while kind(r) == "name" or text(r) == "." or text(r) == ":" do skip(r) end
    body(r)
end

control["return"] = function(r)
    skip(r)
    if not ENDS[text(r)] and kind(r) ~= "end" and text(r) ~= ";" then expressions(r) end
end

control["break"] = function(r) skip(r) end
control["goto"] = function(r) skip(r, 2) end

control["local"] = function(r)
    skip(r)
    if text(r) == "function" then return control["function"](r) end
    repeat
        if text(r) == "," then skip(r) end
        if kind(r) ~= "name" then error { expected = "a name" } end
        skip(r, text(r, 1) == "<" and 4 or 1) -- local limit <const>
    until text(r) ~= ","
    if text(r) == "=" then
        skip(r)
        expressions(r)
    end
end

local function statement(r)
    if text(r) == ";" then return skip(r) end
    if text(r) == ":" then return skip(r, 5) end -- a label
    local first = r.i
    local word = r.words[first]
    local index = add(r, { kind = "statement", first = word.first, line = word.line,
        role = "other" })
    local outer = r.parent
    r.parent = index
    if control[word.text] and word.kind == "name" then
        control[word.text](r)
    else
        simple(r)
        while text(r) == "," do
            skip(r)
            simple(r)
        end
        if text(r) == "=" then
            skip(r)
            expressions(r)
        end
    end
    r.parent = outer
    statement_end(r, index, first)
    if control[word.text] and word.text ~= "local" and word.text ~= "function" then
        r.atoms[index].role, r.atoms[index].label = "other", word.text .. " ..."
        if word.text == "return" or word.text == "break" then r.atoms[index].role = "kept" end
    end
end

function block(r)
    enter(r)
    while kind(r) ~= "end" and not ENDS[text(r)] do statement(r) end
    r.depth = r.depth - 1
end

--- A statement goes with its lines: blanks before it, a comment behind it, comments right above.
local function widen(source, atom)
    local first, last = atom.first, atom.last
    local line = source:sub(1, first - 1):match "()[^\n]*$"
    local comment = source:match("^[ \t;]*%-%-[^%[\n][^\n]*()", last + 1)
        or source:match("^[ \t;]*()", last + 1)
    local ends = source:sub(comment, comment) == "\n" or comment > #source
    if not source:sub(line, first - 1):find "^%s*$" or not ends then
        return first, math.max(last, comment - 1)
    end
    while line > 1 do
        local above = source:sub(1, line - 2):match "()[^\n]*$"
        if not source:sub(above, line - 2):find "^%s*%-%-[^%[]" then break end
        line = above
    end
    return line, math.min(comment, #source)
end

--- The statement an atom stands in, and the items between, outermost first.
local function path_of(atoms, atom)
    local names, at = {}, atom
    while at.parent ~= 0 do
        at = atoms[at.parent]
        if at.kind == "statement" then break end
        if at.key then table.insert(names, 1, at.key) end
    end
    return at, names
end

---@return table[] atoms, in the order of their first byte; none if the text is not understood
function M.find(source)
    local r = reader(source)
    local ok, problem = pcall(block, r)
    if not ok and type(problem) ~= "table" then error(problem, 0) end
    if not ok or kind(r) ~= "end" then return {} end
    for _, atom in ipairs(r.atoms) do
        if atom.kind ~= "statement" then
            local statement_atom, names = path_of(r.atoms, atom)
            atom.role, atom.of = statement_atom.role, statement_atom.label
            if atom.param then atom.role, atom.of = "param", "param " .. atom.param end
            if atom.kind == "item" then names[#names + 1] = atom.key end
            atom.label = table.concat(names, ".")
        end
    end
    for _, atom in ipairs(r.atoms) do
        if atom.kind == "statement" then atom.first, atom.last = widen(source, atom) end
    end
    return r.atoms
end

return M
