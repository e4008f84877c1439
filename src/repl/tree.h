/*
 * tree.h — worlds in time: where they stand, where they stood, and what they branched into.
 *
 * A *branch* has a world that stands at some instant. Behind it lie its *snapshots*: copies of the
 * world that sleep (snapshots.h), taken as it runs and around each line that was typed. Going back
 * wakes a copy of the nearest one, runs on from there and types again what was typed in between;
 * what was typed after that instant is forgotten. A new branch begins as a copy of another, and
 * shares the other's snapshots from before.
 *
 *   main  ──s──s──typed──s──────s──▶ now
 *                        └─ a ──s──▶
 *
 * A *history* is a line of nodes: what a branch did since it began, or since it went back, then
 * what its parent had done up to there. What no branch's history contains any more is forgotten.
 *
 * A world whose process ends (a crash, the machine's memory) is gone, and the prompt is not: it
 * says why (lz_tree_reason) and goes on with the last snapshot (lz_tree_recover).
 */
#ifndef LZ_REPL_TREE_H
#define LZ_REPL_TREE_H

#include "repl/pipe.h"
#include "repl/snapshots.h"
#include "repl/stage.h"

#define LZ_TREE_BRANCHES 32

struct lz_tree_node {
    uint32_t parent; /* itself: none */
    uint64_t order;  /* what the parent has up to here is its past too */
};

struct lz_tree_branch {
    char *name;
    int line;
    pid_t pid;
    uint32_t node; /* that it adds to */
    lz_time at;
    uint64_t events, trace;
    uint64_t work_ns; /* of a processor, since the latest copy */
    bool is_over;
    char *source; /* of its scenario, if it was changed; NULL: as in its file */
};

/* A line that acted, to be typed again in a world whose scenario was changed. */
struct lz_tree_typed {
    uint32_t node;
    uint64_t order;
    lz_time at;
    char *line;
};

struct lz_tree {
    struct lz_tree_branch branches[LZ_TREE_BRANCHES];
    uint32_t branch_count, current;
    struct lz_tree_node *nodes;
    uint32_t node_count, node_cap;
    struct lz_snapshots snapshots;
    uint64_t order; /* counts snapshots, branches and lines */
    struct lz_tree_typed *typed;
    uint32_t typed_count, typed_cap;
    bool is_replaying; /* what has been; no copies are taken */
    uint64_t look;     /* `count` of LZ_PIPE_EVAL */
    int *left;         /* lines of worlds that are no longer needed */
    uint32_t left_count, left_cap;
    int fatal; /* signal that ended the world that was asked last; 0: none is known */
    /*
     * For pictures of a run while it goes on: called at least every `stride` of virtual time (0:
     * whenever a snapshot is due). It may ask the world. NULL: nobody looks.
     */
    void (*between)(void *ctx);
    void *between_ctx;
    lz_time stride;
};

/* `budget_bytes`: of snapshots; 0 means LZ_SNAPSHOTS_BUDGET. */
bool lz_tree_open(const struct lz_stage_opts *opts, size_t budget_bytes, struct lz_tree *t,
                  struct lz_str *why) LZ_MUST_CHECK;
void lz_tree_close(struct lz_tree *t);

/*
 * End what is no longer needed: by the dozen after going back far, and a millisecond each. When the
 * one who asked has the answer.
 */
void lz_tree_tidy(struct lz_tree *t);

struct lz_tree_branch *lz_tree_now(struct lz_tree *t);

/* Ask the current world; `text` in and out. False: its process is gone, see lz_tree_recover. */
bool lz_tree_ask(struct lz_tree *t, struct lz_pipe_message *m, struct lz_str *text);

/* Evaluate a line; one that fails leaves the world as it was. */
bool lz_tree_eval(struct lz_tree *t, const char *line, struct lz_pipe_message *m,
                  struct lz_str *out);

/* Run the current world to `until`, taking snapshots. `conditions`: one a line; may be empty. */
bool lz_tree_run(struct lz_tree *t, lz_time until, const char *conditions,
                 struct lz_pipe_message *m, struct lz_str *out);

/* For so many events. */
bool lz_tree_step(struct lz_tree *t, uint64_t events, struct lz_pipe_message *m,
                  struct lz_str *out);

/* To the state at `at`, which lies in its past. */
bool lz_tree_back(struct lz_tree *t, lz_time at, struct lz_str *why);

/* After a crash: to the last snapshot. */
bool lz_tree_recover(struct lz_tree *t, struct lz_str *why);

/* Why a world's process is gone: "segmentation fault (SIGSEGV)". */
const char *lz_tree_reason(const struct lz_tree *t);

/*
 * The current branch with another text of its scenario: a fresh world is made of it, run to where
 * the old one stands, and what was typed is typed again at its instants. On failure all is as it
 * was.
 */
bool lz_tree_rebuild(struct lz_tree *t, const struct lz_stage_opts *opts, const char *source,
                     struct lz_str *why);

/* The text of the current branch's scenario. */
const char *lz_tree_source(const struct lz_tree *t, const struct lz_stage_opts *opts);

/* A new branch from here, which becomes the current one. NULL: "a", "b", ... */
bool lz_tree_fork(struct lz_tree *t, const char *name, struct lz_str *why);
bool lz_tree_switch(struct lz_tree *t, const char *name);

/* A record of a branch as if its run ended now; the image in `out`. */
bool lz_tree_record(struct lz_tree *t, uint32_t branch, struct lz_str *out);

/*
 * Ctrl-C: the current world stops running at the next event; a line that is being evaluated is
 * given up with its world, which is then as before it. Safe in a signal handler.
 */
void lz_tree_interrupt(const struct lz_tree *t);
bool lz_tree_is_interrupted(void); /* since the last run or line began */
void lz_tree_begin_line(void);     /* what was interrupted before is over */

/* ---- for retrace.c */

struct lz_tree_goal {
    lz_time until;
    uint64_t events; /* that the world has behind it then; UINT64_MAX: any number */
    const char *conditions;
};
bool lz_tree_go(struct lz_tree *t, const struct lz_tree_goal *goal, struct lz_pipe_message *m,
                struct lz_str *out);

/* A question to a world on any line. */
bool lz_tree_ask_on(struct lz_tree *t, int line, struct lz_pipe_message *m, struct lz_str *text);

/* A copy of the world on `line`, on a line of its own; -1 with why if there can be none. */
int lz_tree_copy(int line, struct lz_pipe_message *m, struct lz_str *why);

/* A world that is no longer needed ends later, beside what is done then (lz_tree_tidy). */
void lz_tree_leave(struct lz_tree *t, int line);

/* Was a line typed in the current history after that copy? And type it again, now. */
bool lz_tree_follows(const struct lz_tree *t, const struct lz_tree_typed *line,
                     const struct lz_snapshot *from);
bool lz_tree_type(struct lz_tree *t, const struct lz_tree_typed *line, struct lz_str *out);

#endif
