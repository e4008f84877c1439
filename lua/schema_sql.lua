--- What a database that speaks SQL says: its tables and their first rows. Rows as in schema.lua.
local M = {}

M.sql = {
    { "schema", "text", "its tables, as SQL; then it is a real SQLite and is asked in SQL" },
    { "seed", "text", "SQL that fills them before the run; with a schema" },
}

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, row in ipairs(M.sql) do block[#block + 1] = row end
end

return M
