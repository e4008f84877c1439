/*
 * opts.h — a command line against a table of options.
 *
 * `--name value`, `--name=value`, `-n value`, `-nvalue` and bundles of flags (`-qv`) are
 * read; `--` ends the options; options and arguments may be mixed. Names are never
 * abbreviated, so that a new option cannot change what an old command line means.
 * Everything that is wrong is said at once, each with the option's name.
 */
#ifndef LZ_CLI_OPTS_H
#define LZ_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct lz_opt {
    const char *name; /* long, without dashes */
    char letter;      /* short; 0: none */
    const char *arg;  /* what its value is called in help; NULL: it has none */
    const char *doc;  /* a line */
    /* Store the value (NULL for a flag) in the command's own struct. */
    bool (*take)(void *into, const char *value, struct lz_err *err);
};

struct lz_opts {
    const char *command; /* for messages: "run" */
    const struct lz_opt *items;
    size_t count;
};

enum lz_opts_outcome {
    LZ_OPTS_OK,
    LZ_OPTS_HELP,  /* --help or -h was among them */
    LZ_OPTS_WRONG, /* said on stderr */
};

/* Arguments that are no options, in order. The texts are argv's; the caller frees `items`. */
struct lz_opts_rest {
    const char **items;
    size_t count;
};

/* argv[0] is the command's name. */
enum lz_opts_outcome lz_opts_parse(const struct lz_opts *opts, int argc, char **argv, void *into,
                                   struct lz_opts_rest *rest);

/* The last value of one option before the others are read, or NULL; "" if it has none. */
const char *lz_opts_peek(int argc, char **argv, const char *name);

/* Values that many options share. A message says what was expected, not which option. */
bool lz_opts_number(const char *text, uint64_t least, uint64_t most, uint64_t *out,
                    struct lz_err *err) LZ_MUST_CHECK;
bool lz_opts_share(const char *text, double *out,
                   struct lz_err *err) LZ_MUST_CHECK; /* "99%" or "0.99", between 0 and 1 */
bool lz_opts_duration(const char *text, int64_t *out_ns, struct lz_err *err) LZ_MUST_CHECK;

#endif
