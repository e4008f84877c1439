--- A plan as a graph for Mermaid and for Graphviz: components, their calls, and faults at what
--- they hit. Nodes and edges stand in the order of the file, so equal plans give equal bytes.
local plan = require "plan"
local text = require "docs_text"
local values = require "plan_values"

local M = {}

--- A label inside double quotes of Mermaid: everything it could read as markup is an entity.
function M.mermaid_escape(s)
    return (text.clean(s):gsub("[^%w%s%.,:/%%_=()\128-\255-]", function(c)
        return ("#%d;"):format(c:byte())
    end))
end

--- A label inside double quotes of DOT.
function M.dot_escape(s)
    return (text.clean(s):gsub('[\\"]', "\\%0"))
end

--- The node of what a fault hits, made if it is a place and not there yet; nil for a link.
local function node_of(graph, target)
    if target.kind == "link" then return nil end
    local key = target.component or target
    local node = graph.by_facts[key]
    if not node then
        node = { id = ("p%d"):format(#graph.nodes + 1), kind = target.kind,
            lines = { values.name(target) } }
        graph.nodes[#graph.nodes + 1] = node
        graph.by_facts[key] = node
    end
    return node
end

local function ends_of(target)
    if target.kind == "link" then return { target.a, target.b } end
    return { target }
end

local function add_components(graph, state)
    for i, c in ipairs(state.plan.components) do
        local count = c.fields.replicas or c.fields.nodes
        local rate = type(c.fields.rate) == "number" and values.rate(c.fields.rate)
        local node = { id = ("c%d"):format(i), kind = c.kind, lines = { c.name,
            rate or count and ("%d %s"):format(count, c.fields.nodes and "nodes" or "replicas") } }
        graph.nodes[i] = node
        graph.by_facts[c] = node
    end
    for _, c in ipairs(state.plan.components) do
        for _, call in ipairs(plan.calls_of(c)) do
            graph.edges[#graph.edges + 1] = { graph.by_facts[c], graph.by_facts[call.to],
                label = call.op }
        end
    end
end

local function add_faults(graph, state)
    for i, f in ipairs(state.plan.faults) do
        local when = values.duration(f.fields.at)
        if f.fields.lasting then
            when = ("%s to %s"):format(when, values.duration(f.fields.at + f.fields.lasting))
        end
        local node = { id = ("f%d"):format(i), kind = "fault",
            lines = { plan.fault_text(state, f), when } }
        local hit = {}
        for _, target in ipairs { f.a, f.b } do
            for _, one in ipairs(ends_of(target)) do hit[#hit + 1] = node_of(graph, one) end
        end
        graph.nodes[#graph.nodes + 1] = node
        for _, to in ipairs(hit) do
            graph.edges[#graph.edges + 1] = { node, to, is_fault = true }
        end
    end
end

local function graph_of(state)
    local graph = { nodes = {}, edges = {}, by_facts = {} }
    add_components(graph, state)
    add_faults(graph, state)
    return graph
end

local MERMAID = { traffic = { "([", "])" }, database = { "[(", ")]" }, fault = { "{{", "}}" },
    cache = { "[(", ")]" }, store = { "[(", ")]" }, balancer = { "[/", "\\]" } }

---@return string
function M.mermaid(state)
    local graph, out = graph_of(state), { "flowchart LR" }
    for _, n in ipairs(graph.nodes) do
        local shape, lines = MERMAID[n.kind] or { "[", "]" }, {}
        for i, line in ipairs(n.lines) do lines[i] = M.mermaid_escape(line) end
        out[#out + 1] = ('  %s%s"%s"%s'):format(n.id, shape[1], table.concat(lines, "<br/>"),
            shape[2])
    end
    for _, e in ipairs(graph.edges) do
        local label = e.label and ('|"%s"|'):format(M.mermaid_escape(e.label)) or ""
        out[#out + 1] = ("  %s %s%s %s"):format(e[1].id, e.is_fault and "-.->" or "-->", label,
            e[2].id)
    end
    local faults = {}
    for _, n in ipairs(graph.nodes) do
        if n.kind == "fault" then faults[#faults + 1] = n.id end
    end
    if #faults > 0 then
        out[#out + 1] = "  classDef fault stroke:#c00,stroke-width:2px"
        out[#out + 1] = ("  class %s fault"):format(table.concat(faults, ","))
    end
    return table.concat(out, "\n") .. "\n"
end

local DOT = { traffic = "oval", database = "cylinder", cache = "cylinder", store = "cylinder",
    balancer = "trapezium", fault = "octagon" }

---@return string
function M.dot(state)
    local graph = graph_of(state)
    local out = { "digraph plan {", "  rankdir=LR;", ('  label="%s";'):format(
        M.dot_escape(state.plan.scenario.name)) }
    for _, n in ipairs(graph.nodes) do
        local lines = {}
        for i, line in ipairs(n.lines) do lines[i] = M.dot_escape(line) end
        out[#out + 1] = ('  %s [shape=%s, label="%s"%s];'):format(n.id, DOT[n.kind] or "box",
            table.concat(lines, "\\n"), n.kind == "fault" and ", color=red" or "")
    end
    for _, e in ipairs(graph.edges) do
        local label = e.label and ('label="%s"'):format(M.dot_escape(e.label))
        local style = e.is_fault and "style=dashed, color=red" or label
        out[#out + 1] = ("  %s -> %s%s;"):format(e[1].id, e[2].id,
            style and (" [%s]"):format(style) or "")
    end
    out[#out + 1] = "}"
    return table.concat(out, "\n") .. "\n"
end

return M
