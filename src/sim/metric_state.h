/*
 * metric_state.h — what metric.c, metric_gauge.c and metric_hist.c share; for these only.
 *
 * A series is in two halves: what is fed stands in its face (metric.h), all that is asked for once
 * a second or less here.
 */
#ifndef LZ_SIM_METRIC_STATE_H
#define LZ_SIM_METRIC_STATE_H

#include "sim/hist.h"
#include "sim/metric.h"
#include "sim/window.h"

/*
 * Of a tally: what its level is a share of, what is there beside it, and this window up to when one
 * of the two became another.
 */
struct lz_metric_share {
    double whole, rest;
    bool is_parted; /* the rest holds */
    lz_time since;
    double sum, low, high;
};

/* What is fed is in the other half, at the head of this one's list (metric.h). */
struct lz_metric_series {
    struct lz_series_face *face;
    double level_start;    /* GAUGE: at the start of the window, if it is touched */
    uint32_t keep;         /* windows that must stay exact */
    bool is_kept;          /* and there is a judge who looks at them */
    uint64_t total_closed; /* COUNTER: at the last roll */
    uint64_t total_begin;  /* COUNTER: at lz_metrics_begin */
    double whole_sum, whole_low, whole_high;
    lz_time whole_until;  /* GAUGE: whole_sum is complete up to here */
    lz_time whole_from;   /* GAUGE: and begins here */
    struct lz_hist whole; /* HIST */
    struct lz_window_list recent, stored;
    struct lz_window dropped;     /* the last one dropped from `recent` */
    double level_first;           /* GAUGE: at the start of the run */
    struct lz_metric_share share; /* of a tally */
};

struct lz_metric_entry {
    struct lz_metric_def def;
    uint32_t component;
    bool is_hidden;      /* nobody observes it */
    uint32_t shown_from; /* windows before this one have no sample */
};

struct lz_metrics {
    struct lz_metrics_face face; /* first: metric.h looks here */
    struct lz_arena *arena;
    struct lz_metric_series *series; /* 1 .. */
    uint32_t series_cap, face_cap;
    lz_series *touched;
    uint32_t touched_count, touched_cap;
    struct lz_metric_entry *metrics; /* 1 .. */
    uint32_t metric_count, metric_cap;
    lz_metric *index; /* open addressing over (component, name) */
    uint32_t index_cap;
    lz_time start;   /* of the current window */
    lz_time begun;   /* whole-run values count from here */
    uint32_t closed; /* windows of 1 s */
    uint32_t stored; /* windows of the record, complete or not */
    uint32_t factor; /* windows of 1 s in one of the record */
    struct lz_hist scratch;
    bool attends; /* to what is kept */
    bool missed;  /* what was read */
};

double lz_metric_level_of(const struct lz_metric_series *s);

/* The first of a window is about to be fed. */
void lz_metric_gauge_open(const struct lz_metrics *m, struct lz_metric_series *s);

/* As if the level had been so since the window began, and nothing were known of before. */
void lz_metric_gauge_begin(struct lz_metrics *m, struct lz_metric_series *s, lz_time now,
                           double level);

struct lz_window lz_metric_gauge_close(const struct lz_metrics *m, struct lz_metric_series *s,
                                       lz_time now);
struct lz_window lz_metric_hist_close(const struct lz_metrics *m, struct lz_metric_series *s);

/* Somebody reads it, in the middle of a window. */
const struct lz_series_face *lz_metric_look_now(const struct lz_metrics *m, lz_series id,
                                                enum lz_window_kind kind);

#endif
