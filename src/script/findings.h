/*
 * findings.h — what a scenario has that is wrong, or odd, as data.
 *
 * Errors come from loading and building. Warnings come from looking at a plan that is right: a
 * window that leaves nothing to judge, a component that nothing reaches.
 */
#ifndef LZ_SCRIPT_FINDINGS_H
#define LZ_SCRIPT_FINDINGS_H

#include "script/script.h"

/* An edit that can only be meant: `len` bytes at byte `col` of `line` become `with`. */
struct lz_finding_fix {
    uint32_t line, col, len;
    uint32_t char_col, char_len; /* the same in characters */
    const char *with;            /* NULL: there is none */
};

struct lz_finding {
    const char *code, *title; /* "LZ101", and what it means in general */
    const char *text, *help;  /* help may be NULL */
    const char *path;         /* as messages name the file */
    const char *shown;        /* all of it as text, several lines */
    uint32_t line, col, len;  /* columns are characters; 0: not known */
    bool is_warning;
    struct lz_finding_fix fix; /* of the scenario's own file */
};

/* Look for warnings. Only after a load without trouble. */
void lz_findings_lint(struct lz_script *s);

/* And for those that only the whole world shows: after it was built, too. */
void lz_findings_lint_built(struct lz_script *s);

/* In the order of files and lines; the texts live as long as the script. */
size_t lz_findings_get(struct lz_script *s, bool colour, const struct lz_finding **out);

#endif
