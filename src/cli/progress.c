#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REDRAWN_NS 100000000

int64_t lz_progress_wall_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool lz_progress_take(enum lz_progress_how *how, const char *value, struct lz_err *err)
{
    static const char *const words[] = {"auto", "bar", "counter", "none"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(words[i], value) == 0) {
            *how = (enum lz_progress_how)i;
            return true;
        }
    }
    return lz_fail(err, LZ_EINVAL, "expected auto, bar, counter or none, got \"%s\"", value);
}

struct lz_progress lz_progress_begin(enum lz_progress_how how, enum lz_progress_how piped,
                                     const struct lz_term_opts *opts)
{
    const struct lz_term term = lz_term_look(opts, STDERR_FILENO);
    const char *name = getenv("TERM");
    bool can_draw = isatty(STDERR_FILENO) == 1 && name != NULL && strcmp(name, "dumb") != 0;
    if (how == LZ_PROGRESS_AUTO)
        how = can_draw ? LZ_PROGRESS_BAR : piped;
    return (struct lz_progress){
        .how = how, .begun_ns = lz_progress_wall_ns(), .width = term.width, .is_ascii = term.ascii};
}

static void draw_bar(struct lz_progress *p, uint64_t done, uint64_t total, uint64_t failed,
                     int64_t now)
{
    if (now - p->shown_ns < REDRAWN_NS && done < total)
        return;
    p->shown_ns = now;
    p->is_shown = true;
    double seconds = (double)(now - p->begun_ns) / 1e9, share = (double)done / (double)total;
    double rate = seconds > 0.0 ? (double)done / seconds : 0.0;
    int left = rate > 0.0 ? (int)((double)(total - done) / rate) : 0;
    int wide = p->width - 56 > 8 ? p->width - 56 : 8, full = (int)(share * wide);
    fprintf(stderr, "\r %" PRIu64 "/%" PRIu64 " ", done, total);
    for (int i = 0; i < wide; i++)
        fputs(i < full ? (p->is_ascii ? "#" : "█") : (p->is_ascii ? "." : "░"), stderr);
    fprintf(stderr, " %3.0f %%  %.0f/s  %d:%02d left  %s %" PRIu64 "\x1b[K", 100.0 * share, rate,
            left / 60, left % 60, p->is_ascii ? "failed" : "✗", failed);
    fflush(stderr);
}

void lz_progress_tell(struct lz_progress *p, uint64_t done, uint64_t total, uint64_t failed)
{
    if (p->how == LZ_PROGRESS_BAR) {
        draw_bar(p, done, total, failed, lz_progress_wall_ns());
    } else if (p->how == LZ_PROGRESS_COUNTER && done * 20 / total > p->twentieths) {
        p->twentieths = done * 20 / total;
        fprintf(stderr, "lorenz: %" PRIu64 " of %" PRIu64 " runs, %" PRIu64 " failed\n", done,
                total, failed);
    }
}

void lz_progress_clear(struct lz_progress *p)
{
    if (p->is_shown)
        fputs("\r\x1b[K", stderr);
    p->is_shown = false;
}
