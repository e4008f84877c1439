/*
 * rule.h — a scenario's function that decides what two conflicting rows become.
 *
 * `function(here, there)` gets two tables { value, at, node, key }; `at` is in seconds by the
 * clock of the node that wrote the row. It returns one of the two, or a value that is put in place
 * of both. It decides at once: words that act on virtual time are refused in it.
 */
#ifndef LZ_SCRIPT_RULE_H
#define LZ_SCRIPT_RULE_H

#include <lua.h>

#include "model/data/multi.h"

struct lz_rule;

/* Of the function at `arg`; lives as long as the script. */
struct lz_rule *lz_rule_make(lua_State *L, int arg, const char *database);

/* As lz_multi_opts wants it, with the rule as `ctx`. */
enum lz_conflict_winner lz_rule_ask(void *ctx, uint64_t key, const struct lz_multi_row *here,
                                    const struct lz_multi_row *there, lz_value *value);

#endif
