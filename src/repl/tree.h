/*
 * tree.h — worlds in time: where they stand, where they stood, and what they branched into.
 *
 * A *branch* has a world that stands at some instant. Behind it lie its *snapshots*: copies of the
 * world that sleep (stage.h), taken as it runs and around each line that was typed. Going back
 * wakes a copy of the nearest one and runs on from there; what was typed after that instant is
 * forgotten. A new branch begins as a copy of another, and shares the other's snapshots from
 * before.
 *
 *   main  ──s──s──typed──s──────s──▶ now
 *                        └─ a ──s──▶
 *
 * Snapshots are taken every LZ_TREE_EVENTS events, so that going back runs at most so many again;
 * of more than LZ_TREE_SNAPSHOTS every second one is given up, but none around a typed line.
 */
#ifndef LZ_REPL_TREE_H
#define LZ_REPL_TREE_H

#include "repl/pipe.h"
#include "repl/stage.h"

#define LZ_TREE_EVENTS 40000u
#define LZ_TREE_SNAPSHOTS 128
#define LZ_TREE_BRANCHES 32

struct lz_tree_snapshot {
    int line;
    uint32_t branch;
    lz_time at;
    uint64_t events, order;
    bool is_typed; /* taken because of a line */
};

struct lz_tree_branch {
    char *name;
    int line;
    pid_t pid;
    uint32_t parent; /* itself: none */
    uint64_t order;  /* snapshots of the parent up to here are its own past */
    lz_time at;
    uint64_t events, trace;
    bool is_over;
    char *source; /* of its scenario, if it was changed here; NULL: as its parent's */
};

/* A line that acted, to be typed again in a world whose scenario was changed. */
struct lz_tree_typed {
    uint32_t branch;
    uint64_t order;
    lz_time at;
    char *line;
};

struct lz_tree {
    struct lz_tree_branch branches[LZ_TREE_BRANCHES];
    uint32_t branch_count, current;
    struct lz_tree_snapshot *snapshots;
    uint32_t snapshot_count, snapshot_cap;
    uint64_t order; /* counts snapshots, branches and lines */
    struct lz_tree_typed *typed;
    uint32_t typed_count, typed_cap;
};

bool lz_tree_open(const struct lz_stage_opts *opts, struct lz_tree *t,
                  struct lz_str *why) LZ_MUST_CHECK;
void lz_tree_close(struct lz_tree *t);

struct lz_tree_branch *lz_tree_now(struct lz_tree *t);

/* Ask the current world; `text` in and out. False: its process is gone, see lz_tree_recover. */
bool lz_tree_ask(struct lz_tree *t, struct lz_pipe_message *m, struct lz_str *text);

/* Evaluate a line; one that fails leaves the world as it was. */
bool lz_tree_eval(struct lz_tree *t, const char *line, struct lz_pipe_message *m,
                  struct lz_str *out);

/* Run the current world to `until`, taking snapshots. `conditions`: one a line; may be empty. */
bool lz_tree_run(struct lz_tree *t, lz_time until, const char *conditions,
                 struct lz_pipe_message *m, struct lz_str *out);

/* To the state at `at`, which lies in its past. */
bool lz_tree_back(struct lz_tree *t, lz_time at, struct lz_str *why);

/* After a crash: to the last snapshot. */
bool lz_tree_recover(struct lz_tree *t, struct lz_str *why);

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

/* Ctrl-C: the current world stops running at the next event. Safe in a signal handler. */
void lz_tree_interrupt(const struct lz_tree *t);

#endif
