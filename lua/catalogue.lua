--- Faults that are known, and checked, but cannot be run yet; those that can are C's (src/fault).
---
--- A row is: what it does; what it may target, as kinds of handles; then its parameters as rows of
--- schema.lua. When a kind comes to C its row here goes.

return {}
