/*
 * call_result.h — the table that `req:call` gives: ok, status, outcome and, if there is one, value.
 *
 * It is made in C before its coroutine goes on. Where Lua's layout is known, its fields are copied
 * from one that Lua itself has filled; each is a table of its own, as any that a script makes.
 */
#ifndef LZ_SCRIPT_CALL_RESULT_H
#define LZ_SCRIPT_CALL_RESULT_H

#include <lua.h>

#include "model/service/service.h"
#include "script/layout.h"

/* What a result says, as the script names it. */
enum lz_call_result_name {
    LZ_RESULT_OK,
    LZ_RESULT_STATUS,
    LZ_RESULT_OUTCOME,
    LZ_RESULT_VALUE,
    LZ_RESULT_NAMES
};

/* Of one state: names and texts, all of which its registry holds. */
struct lz_call_results {
    int ref_outcomes[LZ_OUTCOMES];
    int ref_names[LZ_RESULT_NAMES];
    const void *outcomes[LZ_OUTCOMES]; /* by their addresses */
    struct lz_call_mould {
        struct lz_layout_node nodes[LZ_RESULT_NAMES];
        uint8_t at[LZ_RESULT_NAMES]; /* whose node is which */
    } moulds[2];                     /* without a value, and with one */
};

void lz_call_result_init(lua_State *L, struct lz_call_results *c);

/* [table] */
void lz_call_result_push(lua_State *L, const struct lz_call_results *c,
                         const struct lz_call_result *r, bool ok);
/* [outcome] */
void lz_call_result_push_outcome(lua_State *L, const struct lz_call_results *c,
                                 enum lz_outcome outcome);

#endif
