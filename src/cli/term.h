/*
 * term.h — what can be shown: colour, width, and which characters.
 *
 *   colour   --color, else NO_COLOR, else CLICOLOR_FORCE or FORCE_COLOR, else CLICOLOR=0,
 *            else whether it is a terminal (and not TERM=dumb)
 *   width    --width, else COLUMNS, else the terminal's, else 80; at least 40
 *   ASCII    --ascii, or a locale that is not UTF-8, or TERM=dumb
 */
#ifndef LZ_CLI_TERM_H
#define LZ_CLI_TERM_H

#include <stdbool.h>

#include "cli/opts.h"

#define LZ_TERM_WIDTH_MIN 40
#define LZ_TERM_WIDTH_MAX 500

enum lz_term_when { LZ_TERM_AUTO, LZ_TERM_ALWAYS, LZ_TERM_NEVER };

/* What was asked for by option. */
struct lz_term_opts {
    enum lz_term_when colour;
    bool ascii;
    int width; /* 0: not given */
};

struct lz_term {
    bool colour;
    bool ascii;
    int width;
};

/* What is right for output to `fd`, given options and environment. */
struct lz_term lz_term_look(const struct lz_term_opts *opts, int fd);

/* The values of --color and --width. */
bool lz_term_take_colour(struct lz_term_opts *opts, const char *value,
                         struct lz_err *err) LZ_MUST_CHECK;
bool lz_term_take_width(struct lz_term_opts *opts, const char *value,
                        struct lz_err *err) LZ_MUST_CHECK;

#endif
