#include "explore/vet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/exit.h"
#include "explore/project.h"
#include "explore/wire.h"

#define FINDINGS_MAX 100000 // a message that says more is broken

static struct lz_script *load(const struct lz_vet_opts *opts, const struct lz_select_pairs *pins)
{
    const struct lz_script_opts script = {
        .path = opts->source.path,
        .source = opts->source.text,
        .source_len = opts->source.len,
        .sets = pins->items,
        .is_checked = true,
        .set_count = pins->count,
        .files = {.ctx = (void *)opts->source.path, .read = lz_project_read},
    };
    struct lz_script *s;
    struct lz_err err;
    if (!lz_script_load(&script, &s, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        _exit(LZ_EXIT_BUG);
    }
    return s;
}

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

// Cases share most of what is found in them.
static bool is_known(const struct lz_vet *vet, const struct lz_finding *f)
{
    for (size_t i = 0; i < vet->count; i++) {
        const struct lz_finding *k = &vet->items[i];
        if (k->line == f->line && k->col == f->col && strcmp(k->code, f->code) == 0 &&
            strcmp(k->text, f->text) == 0 && strcmp(k->path, f->path) == 0)
            return true;
    }
    return false;
}

static void add(struct lz_vet *vet, const struct lz_finding *f)
{
    if (is_known(vet, f))
        return;
    vet->items = lz_mem_resize(vet->items, (vet->count + 1) * sizeof(vet->items[0]));
    struct lz_finding *own = &vet->items[vet->count++];
    *own = *f;
    own->code = copy(f->code);
    own->title = copy(f->title);
    own->text = copy(f->text);
    own->help = copy(f->help);
    own->path = copy(f->path);
    own->shown = copy(f->shown);
    own->fix.with = copy(f->fix.with);
}

// Take over what was found in a script, and how it ended if that is worse.
static void collect(struct lz_vet *vet, struct lz_script *s, const struct lz_vet_opts *opts)
{
    const struct lz_finding *items;
    size_t count = lz_findings_get(s, opts->colour, &items);
    for (size_t i = 0; i < count; i++)
        add(vet, &items[i]);
    if (vet->trouble == LZ_SCRIPT_OK)
        vet->trouble = lz_script_trouble(s);
    if (vet->trouble != LZ_SCRIPT_MEMORY || vet->problem != NULL)
        return;
    const char *text = lz_script_diagnostics(s, false); // "path: sentence\n"
    vet->problem = copy(text + strlen(opts->source.path) + 2);
    vet->problem[strcspn(vet->problem, "\n")] = '\0';
}

// One case: errors of its build and warnings of its plan.
static void vet_case(const struct lz_vet_opts *opts, const struct lz_select_pairs *params,
                     struct lz_vet *vet)
{
    struct lz_script *s = load(opts, params);
    struct lz_script_world world;
    if (lz_script_trouble(s) == LZ_SCRIPT_OK)
        lz_findings_lint(s);
    bool is_whole = lz_script_trouble(s) == LZ_SCRIPT_OK && lz_script_is_runnable(s);
    bool is_built = is_whole && lz_script_build(s, 1, 0, &world);
    LZ_ASSERT(!is_whole || is_built == (lz_script_trouble(s) == LZ_SCRIPT_OK));
    if (is_built)
        lz_findings_lint_built(s);
    collect(vet, s, opts);
    lz_script_destroy(s);
}

// The values of each case, and the pins that are no part of the matrix.
static struct lz_select_pairs *copy_cases(struct lz_script *s, const struct lz_select_pairs *sets,
                                          size_t count)
{
    struct lz_select_pairs *all = lz_mem_alloc(count * sizeof(all[0]));
    for (size_t i = 0; i < count; i++) {
        const struct lz_script_case *c = lz_script_case(s, i);
        all[i] = (struct lz_select_pairs){0};
        for (size_t k = 0; k < c->count; k++)
            lz_select_pairs_put(&all[i], c->names[k], c->values[k]);
        for (size_t k = 0; k < sets->count; k++) {
            if (lz_select_pairs_value(&all[i], sets->items[k].name) == NULL)
                lz_select_pairs_put(&all[i], sets->items[k].name, sets->items[k].value);
        }
    }
    return all;
}

static void vet_file(const struct lz_vet_opts *opts, struct lz_vet *vet)
{
    struct lz_select_pairs *cases = NULL;
    size_t count = 0;
    struct lz_script *s = load(opts, opts->sets);
    if (lz_script_trouble(s) == LZ_SCRIPT_OK) {
        vet->scenario = copy(lz_script_scenario(s));
        count = vet->case_count = lz_script_case_count(s);
        cases = copy_cases(s, opts->sets, count);
    } else {
        collect(vet, s, opts);
    }
    lz_script_destroy(s); // one universe at a time in the slot
    for (size_t i = 0; i < count; i++) {
        bool is_wanted = opts->cases == NULL || lz_select_matches(opts->cases, &cases[i]);
        if (vet->trouble == LZ_SCRIPT_OK && is_wanted)
            vet_case(opts, &cases[i], vet);
        lz_select_pairs_free(&cases[i]);
    }
    free(cases);
}

static void put(const struct lz_finding *f, struct lz_str *out)
{
    lz_wire_put_text(out, f->code);
    lz_wire_put_text(out, f->title);
    lz_wire_put_text(out, f->text);
    lz_wire_put_text(out, f->help);
    lz_wire_put_text(out, f->path);
    lz_wire_put_text(out, f->shown);
    lz_wire_put_u64(out, f->line);
    lz_wire_put_u64(out, f->col);
    lz_wire_put_u64(out, f->len);
    lz_wire_put_u64(out, f->is_warning);
    lz_wire_put_u64(out, f->fix.line);
    lz_wire_put_u64(out, f->fix.col);
    lz_wire_put_u64(out, f->fix.len);
    lz_wire_put_u64(out, f->fix.char_col);
    lz_wire_put_u64(out, f->fix.char_len);
    lz_wire_put_text(out, f->fix.with);
}

static void get(struct lz_wire *in, struct lz_finding *f)
{
    f->code = lz_wire_get_text(in);
    f->title = lz_wire_get_text(in);
    f->text = lz_wire_get_text(in);
    f->help = lz_wire_get_text(in);
    f->path = lz_wire_get_text(in);
    f->shown = lz_wire_get_text(in);
    f->line = (uint32_t)lz_wire_get_u64(in);
    f->col = (uint32_t)lz_wire_get_u64(in);
    f->len = (uint32_t)lz_wire_get_u64(in);
    f->is_warning = lz_wire_get_u64(in) != 0;
    f->fix.line = (uint32_t)lz_wire_get_u64(in);
    f->fix.col = (uint32_t)lz_wire_get_u64(in);
    f->fix.len = (uint32_t)lz_wire_get_u64(in);
    f->fix.char_col = (uint32_t)lz_wire_get_u64(in);
    f->fix.char_len = (uint32_t)lz_wire_get_u64(in);
    f->fix.with = lz_wire_get_text(in);
    if (f->code == NULL || f->text == NULL || f->path == NULL || f->shown == NULL)
        in->broken = true;
}

void lz_vet_write(const struct lz_vet_opts *opts, struct lz_str *message)
{
    struct lz_vet vet = {0};
    vet_file(opts, &vet);
    lz_wire_put_u64(message, (uint64_t)vet.trouble);
    lz_wire_put_text(message, vet.scenario);
    lz_wire_put_text(message, vet.problem);
    lz_wire_put_u64(message, vet.case_count);
    lz_wire_put_u64(message, vet.count);
    for (size_t i = 0; i < vet.count; i++)
        put(&vet.items[i], message);
    lz_vet_free(&vet);
}

bool lz_vet_read(const struct lz_str *message, struct lz_vet *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_vet vet = {.trouble = (enum lz_script_trouble)lz_wire_get_u64(&in)};
    vet.scenario = lz_wire_get_text(&in);
    vet.problem = lz_wire_get_text(&in);
    vet.case_count = (size_t)lz_wire_get_u64(&in);
    uint64_t count = lz_wire_get_u64(&in);
    if (count > FINDINGS_MAX)
        in.broken = true;
    if (!in.broken)
        vet.items = lz_mem_alloc((count + 1) * sizeof(vet.items[0]));
    for (uint64_t i = 0; i < count && !in.broken; i++)
        get(&in, &vet.items[vet.count++]);
    if (in.broken || in.left != 0) {
        lz_vet_free(&vet);
        return false;
    }
    *out = vet;
    return true;
}

void lz_vet_free(struct lz_vet *vet)
{
    for (size_t i = 0; i < vet->count; i++) {
        const struct lz_finding *f = &vet->items[i];
        const char *const texts[] = {f->code, f->title, f->text,    f->help,
                                     f->path, f->shown, f->fix.with};
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            free((void *)texts[k]);
    }
    free(vet->items);
    free(vet->scenario);
    free(vet->problem);
    *vet = (struct lz_vet){0};
}
