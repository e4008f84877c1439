/*
 * progress.h — --progress: how far a command's runs are, on stderr.
 *
 *   bar       a line that is drawn again, ten times a second at the most
 *   counter   a line for every twentieth of all runs
 *   none      nothing
 *   auto      a bar on a terminal, else what the command does where none can be drawn
 */
#ifndef LZ_CLI_PROGRESS_H
#define LZ_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/term.h"

enum lz_progress_how { LZ_PROGRESS_AUTO, LZ_PROGRESS_BAR, LZ_PROGRESS_COUNTER, LZ_PROGRESS_NONE };

struct lz_progress {
    enum lz_progress_how how;
    int64_t begun_ns, shown_ns;
    uint64_t twentieths;
    int width;
    bool is_ascii, is_shown;
};

bool lz_progress_take(enum lz_progress_how *how, const char *value,
                      struct lz_err *err) LZ_MUST_CHECK;

/* `piped` is what auto is where no bar can be drawn. */
struct lz_progress lz_progress_begin(enum lz_progress_how how, enum lz_progress_how piped,
                                     const struct lz_term_opts *term);
void lz_progress_tell(struct lz_progress *p, uint64_t done, uint64_t total, uint64_t failed);

/* Before anything else is written to the terminal, and at the end. */
void lz_progress_clear(struct lz_progress *p);

int64_t lz_progress_wall_ns(void);

#endif
