/*
 * window.h — the closed windows of one series, and the record that does not grow.
 *
 * Windows are numbered from 0 and all equally wide. A window in which nothing happened is not
 * in the list: a counter stands where it stood, a gauge keeps its level, a histogram is empty.
 * So an idle series costs nothing, and every question here is asked with what holds before
 * the list begins (`first`).
 *
 * A list may be recent windows of one second, with the oldest dropped, or the record, in
 * which a window is 2^k seconds: lz_window_store files a second into it, lz_window_halve
 * makes its windows twice as wide.
 *
 * Invariants: indices ascend; an entry of a histogram owns its packed bytes in the arena.
 */
#ifndef LZ_SIM_WINDOW_H
#define LZ_SIM_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sim/hist.h"

enum lz_window_kind { LZ_WINDOW_COUNTER = 1, LZ_WINDOW_GAUGE, LZ_WINDOW_HIST };

struct lz_window {
    uint32_t index;
    uint32_t packed_size;
    union {
        uint64_t total; /* COUNTER: at the end of the window */
        struct {
            double mean, low, high, end;
        } level; /* GAUGE */
        struct {
            struct lz_hist_facts facts;
            unsigned char *packed;
        } hist;
    } u;
};

struct lz_window_list {
    struct lz_arena *arena;
    enum lz_window_kind kind;
    uint32_t count, cap;
    struct lz_window *all;
};

/* Takes over what `w` owns. Its index must be past the last. */
void lz_window_append(struct lz_window_list *list, const struct lz_window *w);

/* Forget what is before window `index`. True if anything was, and then `*last` of it. */
bool lz_window_drop(struct lz_window_list *list, uint32_t index, struct lz_window *last);

/* COUNTER: where it stood when window `index` began. */
uint64_t lz_window_total(const struct lz_window_list *list, uint32_t index, uint64_t first);

/* GAUGE: its level when window `index` began. */
double lz_window_start(const struct lz_window_list *list, uint32_t index, double first);

/* GAUGE: windows `from` .. `to` - 1 as one; from < to. */
struct lz_window lz_window_level(const struct lz_window_list *list, uint32_t from, uint32_t to,
                                 double first);

/* HIST: add windows `from` .. `to` - 1 to `h`. */
void lz_window_merge(const struct lz_window_list *list, uint32_t from, uint32_t to,
                     struct lz_hist *h);

/* What a record is kept by. */
struct lz_window_record {
    uint32_t factor;         /* seconds in a window of the record */
    double first;            /* GAUGE: level at the start of the run */
    struct lz_hist *scratch; /* HIST: a place to add up */
};

/* File a second into the record; copies what it keeps. */
void lz_window_store(struct lz_window_list *list, const struct lz_window *second,
                     const struct lz_window_record *record);

/* Make windows twice as wide. All must be complete. */
void lz_window_halve(struct lz_window_list *list, const struct lz_window_record *record);

#endif
