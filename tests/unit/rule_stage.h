/*
 * rule_stage.h — a world for rules: two components, a and b, whose metrics move at exact times.
 *
 * Seven steps of 300 s. At the beginning of each the level of both is set (`in_flight`), and what
 * they count goes on by as much as the step before; they are scraped every second. Just before the
 * next step it is written down how many elements of the alert are pending and how many fire, "1/0".
 *
 *   in_flight   a   75  85  95 105 105  95  85
 *               b   80  90 100 110 120 130 140
 */
#ifndef LZ_TESTS_RULE_STAGE_H
#define LZ_TESTS_RULE_STAGE_H

#include "model/alert/alert_state.h"

#define RULE_STAGE_STEP (300 * LZ_S)
#define RULE_STAGE_STEPS 7

struct rule_stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id of[2], alert; /* whose levels are written down: the alert of last */
    lz_series level[2], some[2], all[2], good[2], late[2], spread[2];
    lz_kind kind;
    char seen[RULE_STAGE_STEPS][8]; /* pending and firing, after each step */
};

/* Rules are evaluated so often. */
void rule_stage_init(struct rule_stage *s, uint64_t key, lz_time evaluation);
void rule_stage_finish(struct rule_stage *s);

/* P, severity page, because it must not. */
bool rule_stage_alert(struct rule_stage *s, const char *expr, lz_time pending, struct lz_err *err);

/* Entries of the journal that have this. */
uint32_t rule_stage_told(const struct rule_stage *s, const char *part);

#endif
