/*
 * block.h — inside report/: what is said of one run that did not pass.
 *
 * Each expectation that failed, or could not be judged, has a block: a rule with its
 * name, where it stands in the scenario, what was wanted and what came, and the story
 * around it. Each dead end closes with the command that goes on.
 */
#ifndef LZ_REPORT_BLOCK_H
#define LZ_REPORT_BLOCK_H

#include "report/pen.h"
#include "report/run.h"

/* For a run that failed, or passed although it is declared to fail. */
void lz_block_failed(struct lz_pen *pen, const struct lz_report_run *run);

/* For one that tested nothing, or was stopped by a budget. */
void lz_block_inconclusive(struct lz_pen *pen, const struct lz_report_run *run);

#endif
