/*
 * check_fix.h — edits that can only be meant, applied to a scenario's text.
 *
 * An edit replaces some bytes of one line: a comma added, a colon made an equals sign, quotes
 * around a quantity, the one name that is near. Findings without such an edit are left to people.
 */
#ifndef LZ_CLI_CHECK_FIX_H
#define LZ_CLI_CHECK_FIX_H

#include "base/str.h"
#include "explore/vet.h"

/*
 * `text` with the edits of `vet` that are about `path`; those that overlap wait for another time.
 * Each is told in a line of `said`. Returns how many were applied.
 */
size_t lz_check_fix_apply(const struct lz_str *text, const char *path, const struct lz_vet *vet,
                          struct lz_str *out, struct lz_str *said);

/* Write a scenario back: whole or not at all, where a link leads, with the rights it had. */
bool lz_check_fix_write(const char *path, const struct lz_str *text,
                        struct lz_err *err) LZ_MUST_CHECK;

#endif
