/*
 * select.h — which scenarios and cases a command line means.
 *
 * A file named on the command line is taken whatever it is called. A directory stands
 * for the *.lua below it whose names, and whose folders' names, do not start with "." or
 * "_" (helpers that scenarios `use`), and that are not what shrinking left, in a folder "min"
 * below it or as "NAME.min.lua": that fails for one seed, and would be counted beside what it is
 * made from. The order is that of the arguments; inside a directory it is by the bytes of the path.
 * A file comes once, however often it is meant.
 */
#ifndef LZ_EXPLORE_SELECT_H
#define LZ_EXPLORE_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "script/script.h"

#define LZ_SELECT_FILES_MAX 10000 /* refused with LZ_EFULL */
#define LZ_SELECT_DEPTH_MAX 32    /* folders inside folders */
#define LZ_SELECT_DEFAULT "scenarios"

/* Paths as they are shown to the user. */
struct lz_select_files {
    char **paths;
    size_t count;
};

/*
 * The files that `args` mean, or LZ_SELECT_DEFAULT without any. LZ_ENOENT: an argument
 * names nothing. Finding no file at all is not an error: the count is 0.
 */
bool lz_select_find(const char *const *args, size_t arg_count, struct lz_select_files *out,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_select_free(struct lz_select_files *files);

/* name=value pairs, as of --set and --case. The texts belong to the list. */
struct lz_select_pairs {
    struct lz_script_set *items;
    size_t count;
};

/* Add "a=1" or, where `many`, "a=1,b=off". A later value for a name replaces the earlier. */
bool lz_select_pairs_add(struct lz_select_pairs *pairs, const char *text, bool many,
                         struct lz_err *err) LZ_MUST_CHECK;
void lz_select_pairs_put(struct lz_select_pairs *pairs, const char *name, const char *value);
const char *lz_select_pairs_value(const struct lz_select_pairs *pairs, const char *name);
void lz_select_pairs_free(struct lz_select_pairs *pairs);

/* Whether a case has every value that is wanted. */
bool lz_select_matches(const struct lz_select_pairs *wanted, const struct lz_select_pairs *params);

#endif
