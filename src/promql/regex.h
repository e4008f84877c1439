/*
 * regex.h — regular expressions as Prometheus has them: RE2's syntax, of the whole text.
 *
 * Ours, because what is at hand means something else: POSIX (libc) takes the longest match and
 * knows no lazy repetition, so the groups that label_replace names would hold other text, and it
 * differs between C libraries; PCRE2 backtracks and accepts what Prometheus refuses. A program of
 * a few instructions is run over all ways at once (Thompson's construction, Pike's threads): time
 * is text times program, whatever the pattern, and the first way in Perl's order wins, as in RE2.
 *
 * Known are: . [a-z] [^a-z] [[:alpha:]] \d \w \s \D \W \S \b \B ^ $ \A \z | () (?:) (?P<n>) (?<n>)
 * (?i) (?s) (?m) (?i:) * + ? {n,m} and the lazy *? +? ?? {n,m}?, \Q..\E, escapes \t \n \r \f \v \a
 * \x41 \x{20AC}. Not known, and said so: \p{..} (Unicode classes), (?U), \C. Look-around and
 * back-references are in neither. "." is any character, newlines too; text is UTF-8, and (?i) is
 * about ASCII.
 */
#ifndef LZ_PROMQL_REGEX_H
#define LZ_PROMQL_REGEX_H

#include <stdbool.h>

#include "base/err.h"
#include "promql/scratch.h"

#define LZ_PROMQL_REGEX_BYTES_MAX 4096
#define LZ_PROMQL_REGEX_SIZE_MAX 8192   /* instructions; x{1000} is a thousand */
#define LZ_PROMQL_REGEX_REPEAT_MAX 1000 /* of {n,m} in each other, too: (x{10}){100} */
#define LZ_PROMQL_REGEX_DEPTH_MAX 100
#define LZ_PROMQL_REGEX_GROUPS_MAX 32

struct lz_promql_regex;

/* The program is in `s`, with what a run of it needs. `where` is the byte of the pattern that an
 * error is about; may be NULL. */
bool lz_promql_regex_compile(struct lz_promql_scratch *s, const char *pattern,
                             const struct lz_promql_regex **out, size_t *where,
                             struct lz_err *err) LZ_MUST_CHECK;

bool lz_promql_regex_matches(const struct lz_promql_regex *re, const char *text);

/* Where groups lie in `text`: from[0] .. until[0] is all of it; -1: the group took no part. */
struct lz_promql_groups_found {
    int32_t from[LZ_PROMQL_REGEX_GROUPS_MAX], until[LZ_PROMQL_REGEX_GROUPS_MAX];
};
bool lz_promql_regex_groups(const struct lz_promql_regex *re, const char *text,
                            struct lz_promql_groups_found *out);

/*
 * `tmpl` with $1, ${1}, $name and ${name} replaced by groups, $$ by $ (Go's Expand): a name is as
 * long as it can be, and one that is no group's is empty.
 */
const char *lz_promql_regex_expand(struct lz_promql_scratch *s, const struct lz_promql_regex *re,
                                   const char *tmpl, const char *text,
                                   const struct lz_promql_groups_found *found);

#endif
