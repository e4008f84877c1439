/*
 * cut.h — a scenario's text with some of its atoms left out or replaced.
 *
 * The text stays one that people would write: what is left out takes its line and its comment with
 * it, no comma is left before a brace, and no two blank lines follow each other.
 *
 * What may refer to what is gone is not looked at: loading says so.
 */
#ifndef LZ_EXPLORE_CUT_H
#define LZ_EXPLORE_CUT_H

#include <stdbool.h>

#include "base/str.h"
#include "script/atoms.h"

struct lz_cut {
    char *text;
    size_t len;
    struct lz_atoms atoms;
    char **with; /* of each atom: NULL as it is, "" left out, else what stands in its place */
};

void lz_cut_init(struct lz_cut *cut, const char *text, size_t len);
void lz_cut_finish(struct lz_cut *cut);

/* Change one atom; `with` is copied, NULL means as it was. */
void lz_cut_set(struct lz_cut *cut, size_t atom, const char *with);

/* Whether it stands in the text: neither it nor one around it is left out or replaced. */
bool lz_cut_is_there(const struct lz_cut *cut, size_t atom);

void lz_cut_write(const struct lz_cut *cut, struct lz_str *out);

/* What stands for a literal now, in quotes if it has them. */
void lz_cut_literal(const struct lz_cut *cut, size_t atom, struct lz_str *out);

/*
 * An amount times a factor, in the same manner: "4m" by 0.5 is "2m", 3 by 0.5 is 1. Rounded to two
 * digits, counts down and at least to one. False: it is no amount, or that would be the same.
 */
bool lz_cut_scale(const char *literal, double factor, struct lz_str *out);

#endif
