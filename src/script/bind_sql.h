/* bind_sql.h — answers in SQL, for what resumes a handler. */
#ifndef LZ_SCRIPT_BIND_SQL_H
#define LZ_SCRIPT_BIND_SQL_H

#include <lua.h>

#include "model/data/sql/statement.h"
#include "model/service/handler.h"

/* { rows = { { name = value, ... }, ... }, changes, last_id }, or { error, code }; nil for none. */
void lz_bind_sql_push(lua_State *L, const struct lz_sql_answer *a);

/* What the handler raises over a failed statement: is it at the top of the stack? */
bool lz_bind_sql_is_raised(lua_State *L);

/* In the journal, once for each text: a statement failed, and with it the task's request. */
void lz_bind_sql_note(lua_State *L, lz_task_id task, const char *text);

#endif
