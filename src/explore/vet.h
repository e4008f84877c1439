/*
 * vet.h — what `lorenz check` does with a file: load it, look for warnings, build every case, and
 * run nothing. Done in a child process, since the file may come from a stranger.
 */
#ifndef LZ_EXPLORE_VET_H
#define LZ_EXPLORE_VET_H

#include "base/str.h"
#include "explore/select.h"
#include "explore/worker.h"
#include "script/findings.h"

struct lz_vet_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *sets;  /* pins */
    const struct lz_select_pairs *cases; /* only those with these values */
    bool colour;                         /* of the texts */
};

/* What was found. The texts belong to it. */
struct lz_vet {
    enum lz_script_trouble trouble;
    char *scenario; /* its sentence; NULL if it did not load */
    char *problem;  /* the memory budget: a text; else NULL */
    size_t case_count;
    struct lz_finding *items; /* each once, whatever cases have it */
    size_t count;
};

/* In the child. */
void lz_vet_write(const struct lz_vet_opts *opts, struct lz_str *message);

/* In the parent. False: not such a message. */
bool lz_vet_read(const struct lz_str *message, struct lz_vet *out) LZ_MUST_CHECK;
void lz_vet_free(struct lz_vet *vet);

#endif
