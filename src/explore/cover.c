#include "explore/cover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

// In the order in which they were first met; NULL: there are too many.
static struct lz_cover_fault *fault_row(struct lz_cover *c, size_t scenario,
                                        const struct lz_brief_fault *f)
{
    for (size_t i = 0; i < c->fault_count; i++) {
        struct lz_cover_fault *row = &c->faults[i];
        if (row->scenario == scenario && strcmp(row->kind, f->kind) == 0 &&
            strcmp(row->target, f->target) == 0)
            return row;
    }
    if (c->fault_count == LZ_COVER_ROWS_MAX)
        return NULL;
    c->faults = lz_mem_resize(c->faults, (c->fault_count + 1) * sizeof(*c->faults));
    c->faults[c->fault_count] = (struct lz_cover_fault){
        .scenario = scenario, .kind = copy(f->kind), .target = copy(f->target)};
    return &c->faults[c->fault_count++];
}

// Whether an earlier fault of the same run is of the same row.
static bool is_again(const struct lz_brief *b, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if ((b->faults[i].phases & LZ_BRIEF_BEGAN) != 0 &&
            strcmp(b->faults[i].kind, b->faults[at].kind) == 0 &&
            strcmp(b->faults[i].target, b->faults[at].target) == 0)
            return true;
    return false;
}

static void add_faults(struct lz_cover *c, size_t scenario, const struct lz_brief *b)
{
    for (size_t i = 0; i < b->fault_count; i++) {
        const struct lz_brief_fault *f = &b->faults[i];
        struct lz_cover_fault *row = fault_row(c, scenario, f);
        if (row == NULL)
            continue;
        bool began = (f->phases & LZ_BRIEF_BEGAN) != 0;
        row->runs += began && !is_again(b, i);
        row->came += began;
        row->bit += (f->phases & LZ_BRIEF_BIT) != 0;
        row->over += (f->phases & LZ_BRIEF_OVER) != 0;
        row->absent += !began;
    }
}

static struct lz_cover_sometimes *sometimes_row(struct lz_cover *c, size_t run, const char *name)
{
    for (size_t i = 0; i < c->sometimes_count; i++)
        if (c->sometimes[i].run == run && strcmp(c->sometimes[i].name, name) == 0)
            return &c->sometimes[i];
    if (c->sometimes_count == LZ_COVER_ROWS_MAX)
        return NULL;
    c->sometimes = lz_mem_resize(c->sometimes, (c->sometimes_count + 1) * sizeof(*c->sometimes));
    c->sometimes[c->sometimes_count] = (struct lz_cover_sometimes){.run = run, .name = copy(name)};
    return &c->sometimes[c->sometimes_count++];
}

void lz_cover_add(struct lz_cover *cover, size_t scenario, size_t run, const struct lz_brief *b)
{
    add_faults(cover, scenario, b);
    for (size_t i = 0; i < b->expectation_count; i++) {
        const struct lz_brief_expectation *e = &b->expectations[i];
        struct lz_cover_sometimes *row =
            e->is_sometimes && !e->warn ? sometimes_row(cover, run, e->name) : NULL;
        if (row == NULL)
            continue;
        row->runs++;
        row->reached += e->verdict == LZ_VERDICT_PASS;
    }
}

bool lz_cover_is_whole(const struct lz_cover *cover)
{
    for (size_t i = 0; i < cover->sometimes_count; i++)
        if (cover->sometimes[i].reached == 0)
            return false;
    return true;
}

void lz_cover_finish(struct lz_cover *cover)
{
    for (size_t i = 0; i < cover->fault_count; i++) {
        free(cover->faults[i].kind);
        free(cover->faults[i].target);
    }
    for (size_t i = 0; i < cover->sometimes_count; i++)
        free(cover->sometimes[i].name);
    free(cover->faults);
    free(cover->sometimes);
    *cover = (struct lz_cover){0};
}
