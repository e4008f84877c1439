/*
 * program.h — real programs: prepared, started, found ready, hit by faults, stopped.
 *
 *   stopped ─▶ setting (each program of `setup`) ─▶ starting ─ready─▶ ready
 *      ▲                                               │               │ ends by itself, or killed
 *      └──── stopping ◀── signal, then its grace ──────┴───────────────┤
 *                                                                      ▼
 *                  starting ◀── backoff, or a fault's end ──────────  dead
 *
 * Each runs in a session of its own, without a terminal, both its streams in one file of the run's
 * folder, which does not grow beyond LZ_OUTPUT_MAX. It is written down in the undo log after it was
 * forked and before it becomes the program, so that nothing of it can be left behind. What it
 * started itself ends with it (family.h); Lorenz is its subreaper.
 *
 * Order: what connects to something starts when that is ready; in a circle, as declared. They are
 * stopped in the reverse order.
 *
 * Trouble before all are ready ends the run and is said with the last lines of the program's
 * output; later it is something that is observed.
 */
#ifndef LZ_LIVE_PROGRAM_H
#define LZ_LIVE_PROGRAM_H

#include "live/live.h"

struct lz_programs;
struct lz_program;

/* Fill in templates, make folders and write files; nothing is started. Errors name the process. */
bool lz_programs_prepare(struct lz_live *live, struct lz_programs **out,
                         struct lz_err *err) LZ_MUST_CHECK;
void lz_programs_destroy(struct lz_programs *ps); /* those that run are killed; NULL is allowed */

/* Start all; lz_live_ready is called when they are, lz_live_fail if one is not. */
void lz_programs_start(struct lz_programs *ps);

/* Stop all: then `are_gone` becomes true, at the latest when the longest grace is over. */
void lz_programs_stop(struct lz_programs *ps);
bool lz_programs_are_gone(const struct lz_programs *ps);

/* The command line of a process as it will be run, for people. */
void lz_program_describe(const struct lz_program *p, struct lz_str *out);

/*
 * What faults do. Holds stack: a program that two faults keep down comes back when both are over.
 * Each says what was seen of it: 1 if the program was there and is so now, else 0.
 */
uint32_t lz_program_kill(struct lz_program *p, bool is_held); /* SIGKILL to its family */
uint32_t lz_program_end(struct lz_program *p, lz_time grace, bool is_held); /* its stop signal */
void lz_program_release(struct lz_program *p); /* a hold is over: start it */
uint32_t lz_program_pause(struct lz_program *p, struct lz_err *err);
void lz_program_resume(struct lz_program *p);
bool lz_program_is_paused(const struct lz_program *p);
uint64_t lz_program_starts(const struct lz_program *p); /* so far */

#endif
