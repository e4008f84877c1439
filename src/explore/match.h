/*
 * match.h — an expression over names: what -k and -t mean.
 *
 *     failover and not dns
 *     (retry or "brown-out") and not slow
 *
 * `and` binds stronger than `or`, `not` stronger than both. A word is anything without blanks,
 * parentheses or quotes; what has those stands in double or single quotes. What a word matches
 * is said by whoever asks.
 */
#ifndef LZ_EXPLORE_MATCH_H
#define LZ_EXPLORE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LZ_MATCH_TERMS_MAX 200 /* words and operators; more are refused with LZ_EFULL */

struct lz_match;

/* LZ_EINVAL says what was expected and where. */
bool lz_match_parse(const char *text, struct lz_match **out, struct lz_err *err) LZ_MUST_CHECK;
void lz_match_destroy(struct lz_match *match);

/* Whether it holds, given which words do. */
bool lz_match_holds(const struct lz_match *match, bool (*has)(const void *ctx, const char *word),
                    const void *ctx);

/* Whether `part` is in `text`, capitals or not (of the ASCII letters). */
bool lz_match_contains(const char *text, const char *part);

#endif
