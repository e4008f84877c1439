/*
 * prompt.h — Lua at a prompt, in a world that stands still.
 *
 * A scenario that was loaded with `captures` keeps what its top-level `local`s hold, so that a line
 * typed later can say `web.latency.p99` or `fault.kill { db.primary }`. A line is an expression,
 * whose values are shown, or statements; what it assigns to new names stays for later lines. Words
 * that need virtual time to pass (sleep, wait_until) are refused: the prompt is between two events.
 *
 *   built ──lz_prompt_begin──▶ stands at 0 ──lz_prompt_advance──▶ stands at T ──▶ ... ──▶ the end
 *                                  │ lz_prompt_eval                    │
 *
 * Errors: a line that fails says why and may have acted before it failed; whoever wants the world
 * as it was forks before.
 */
#ifndef LZ_SCRIPT_PROMPT_H
#define LZ_SCRIPT_PROMPT_H

#include "base/str.h"
#include "script/script.h"

#define LZ_PROMPT_WINDOWS 10 /* of a second: what a metric at the prompt looks back */
#define LZ_PROMPT_WIDTH 80

enum lz_prompt_outcome {
    LZ_PROMPT_OK,
    LZ_PROMPT_INCOMPLETE, /* it goes on in the next line */
    LZ_PROMPT_WRONG,      /* `out` says why */
};

/* After a build without trouble: `drive` bodies begin, and words act at once. */
void lz_prompt_begin(struct lz_script *s);

/* How what is shown is to look: of lines typed from now on. */
struct lz_prompt_look {
    int width; /* columns; 0 means LZ_PROMPT_WIDTH */
    bool ascii;
};
void lz_prompt_style(struct lz_script *s, const struct lz_prompt_look *look);

/* Run until `until`, `events_max` more events (0: any number) or until *stop is not 0. */
enum lz_sim_stop lz_prompt_advance(struct lz_script *s, lz_time until, uint64_t events_max,
                                   const volatile int *stop);

/* Judge what there is as if the run ended here. The world is not run on after that. */
void lz_prompt_finish(struct lz_script *s);

enum lz_prompt_outcome lz_prompt_eval(struct lz_script *s, const char *text, struct lz_str *out);

/* What could stand where `text` ends: one per line, the whole name each. */
void lz_prompt_complete(struct lz_script *s, const char *text, struct lz_str *out);

/*
 * `db.failover.detect = "1s"`: the scenario's text with that changed, in `out`. INCOMPLETE: the
 * line does not mean that, it is Lua.
 */
enum lz_prompt_outcome lz_prompt_edit(struct lz_script *s, const char *text, struct lz_str *out);

/* "3m59s", as scenarios write it; false with a sentence in `out`. */
bool lz_prompt_duration(struct lz_script *s, const char *text, lz_time *ns,
                        struct lz_str *out) LZ_MUST_CHECK;

/* Conditions such as `web.errors.ratio:above "1%"`: read once, asked at each whole second. */
bool lz_prompt_watch(struct lz_script *s, const char *text, struct lz_matcher *m,
                     struct lz_str *out) LZ_MUST_CHECK;

/* The metric that an expression names; 0 with a sentence in `out`. */
lz_metric lz_prompt_metric(struct lz_script *s, const char *text, struct lz_str *out);

/* All components on one screen: who is up, how they do, what breaks right now. */
bool lz_prompt_top(struct lz_script *s, struct lz_str *out) LZ_MUST_CHECK;

/*
 * What documentation calls what a text names here: "db" is "database", "web.latency.p99" is
 * "service.latency.p99". False: it names nothing of this world, and is a topic itself if any.
 */
bool lz_prompt_topic(struct lz_script *s, const char *text, struct lz_str *out) LZ_MUST_CHECK;

#endif
