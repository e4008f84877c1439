/*
 * journal.h — the notable events of a run, in words: what a person asks for first.
 *
 * Faults, deaths, detections, promotions, connections reset, marks and log lines;
 * never one entry per request. Bounded: past LZ_JOURNAL_MAX entries further ones
 * are counted, not kept.
 */
#ifndef LZ_MODEL_JOURNAL_H
#define LZ_MODEL_JOURNAL_H

#include <stddef.h>

#include "base/err.h"
#include "model/world.h"

#define LZ_JOURNAL_MAX 20000
#define LZ_JOURNAL_TEXT_MAX 1024
#define LZ_JOURNAL_MARKS_MAX 4096    /* different names */
#define LZ_JOURNAL_INSTANTS_MAX 4096 /* of a mark; past them the first and the last count */

struct lz_journal_entry {
    lz_time at;
    lz_component_id component; /* 0: none in particular */
    lz_instance_id instance;   /* 0: none in particular */
    uint32_t line;             /* scenario line that caused it; 0: none */
    const char *kind;          /* "fault", "fault_end", "reset", "dead", "promoted", "mark", ... */
    const char *text;
};

void lz_journal_init(struct lz_world *w);

/* Add an entry at the present instant; `e->at` and `e->text` are ignored. */
void lz_journal_add(struct lz_world *w, const struct lz_journal_entry *e, const char *fmt, ...)
    LZ_PRINTF(3, 4);

size_t lz_journal_count(const struct lz_world *w);
size_t lz_journal_dropped(const struct lz_world *w);
const struct lz_journal_entry *lz_journal_get(const struct lz_world *w, size_t i);

/* Set a mark: `happened` and anchors see it, also when the journal itself is full. */
bool lz_journal_mark(struct lz_world *w, const char *name, uint32_t line,
                     struct lz_err *err) LZ_MUST_CHECK;

/* The first instant a mark of that name was set, or -1. */
lz_time lz_journal_marked(const struct lz_world *w, const char *name);

/* The first of its instants that is not before `from`, or -1. */
lz_time lz_journal_marked_from(const struct lz_world *w, const char *name, lz_time from);

#endif
