#include "explore/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/exit.h"
#include "explore/wire.h"
#include "record/record.h"

#define CASES_MAX 1000000 // more than a matrix can have; a message that says so is broken

// Not the scenario's fault, and nothing to go on with: the parent reports what was said.
static _Noreturn void give_up(const struct lz_err *err)
{
    fprintf(stderr, "lorenz: %s\n", err->msg);
    _exit(LZ_EXIT_BUG);
}

static struct lz_script *load(const struct lz_worker_source *source,
                              const struct lz_select_pairs *pins)
{
    const struct lz_script_opts opts = {
        .path = source->path,
        .source = source->text,
        .source_len = source->len,
        .sets = pins->items,
        .set_count = pins->count,
    };
    struct lz_script *script;
    struct lz_err err;
    if (!lz_script_load(&opts, &script, &err))
        give_up(&err);
    return script;
}

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

// Everything a run of the case needs: the pins that are no part of the matrix too.
static void read_case(struct lz_worker_case *out, const struct lz_script_case *c,
                      const struct lz_select_pairs *sets)
{
    *out = (struct lz_worker_case){.xfail = c->xfail};
    for (size_t i = 0; i < c->count; i++)
        lz_select_pairs_put(&out->params, c->names[i], c->values[i]);
    for (size_t i = 0; i < sets->count; i++) {
        if (lz_select_pairs_value(&out->params, sets->items[i].name) == NULL)
            lz_select_pairs_put(&out->params, sets->items[i].name, sets->items[i].value);
    }
}

static void note_trouble(struct lz_worker_listing *listing, struct lz_script *s, bool colour)
{
    listing->trouble = lz_script_trouble(s);
    if (listing->trouble != LZ_SCRIPT_OK)
        listing->diagnostics = copy(lz_script_diagnostics(s, colour));
}

// Loading says nothing about what the model refuses: build each case, run none.
static void build_cases(const struct lz_worker_list_opts *opts, struct lz_worker_listing *listing)
{
    for (size_t i = 0; i < listing->case_count && listing->trouble == LZ_SCRIPT_OK; i++) {
        struct lz_script *s = load(&opts->source, &listing->cases[i].params);
        struct lz_script_world world;
        if (lz_script_trouble(s) == LZ_SCRIPT_OK && !lz_script_build(s, 1, 0, &world))
            LZ_ASSERT(lz_script_trouble(s) != LZ_SCRIPT_OK);
        note_trouble(listing, s, opts->colour);
        lz_script_destroy(s);
    }
}

static void put_listing(const struct lz_worker_listing *listing, struct lz_str *out)
{
    lz_wire_put_u64(out, (uint64_t)listing->trouble);
    lz_wire_put_text(out, listing->scenario);
    lz_wire_put_text(out, listing->diagnostics);
    lz_wire_put_u64(out, listing->case_count);
    for (size_t i = 0; i < listing->case_count; i++) {
        const struct lz_worker_case *c = &listing->cases[i];
        lz_wire_put_u64(out, c->xfail);
        lz_wire_put_u64(out, c->params.count);
        for (size_t k = 0; k < c->params.count; k++) {
            lz_wire_put_text(out, c->params.items[k].name);
            lz_wire_put_text(out, c->params.items[k].value);
        }
    }
}

void lz_worker_list(const struct lz_worker_list_opts *opts, struct lz_str *message)
{
    struct lz_worker_listing listing = {0};
    struct lz_script *s = load(&opts->source, opts->sets);
    note_trouble(&listing, s, opts->colour);
    if (listing.trouble == LZ_SCRIPT_OK) {
        listing.scenario = copy(lz_script_scenario(s));
        listing.case_count = lz_script_case_count(s);
        LZ_ASSERT(listing.case_count >= 1);
        listing.cases = lz_mem_alloc(listing.case_count * sizeof(listing.cases[0]));
        for (size_t i = 0; i < listing.case_count; i++)
            read_case(&listing.cases[i], lz_script_case(s, i), opts->sets);
    }
    lz_script_destroy(s); // one universe at a time in the slot
    if (opts->build)
        build_cases(opts, &listing);
    put_listing(&listing, message);
    lz_worker_listing_free(&listing);
}

static void get_case(struct lz_wire *in, struct lz_worker_case *c)
{
    *c = (struct lz_worker_case){.xfail = lz_wire_get_u64(in) != 0};
    uint64_t count = lz_wire_get_u64(in);
    for (uint64_t i = 0; i < count && !in->broken; i++) {
        char *name = lz_wire_get_text(in);
        char *value = lz_wire_get_text(in);
        if (name != NULL && value != NULL)
            lz_select_pairs_put(&c->params, name, value);
        free(name);
        free(value);
    }
}

bool lz_worker_listing_read(const struct lz_str *message, struct lz_worker_listing *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_worker_listing listing = {
        .trouble = (enum lz_script_trouble)lz_wire_get_u64(&in),
    };
    listing.scenario = lz_wire_get_text(&in);
    listing.diagnostics = lz_wire_get_text(&in);
    uint64_t count = lz_wire_get_u64(&in);
    if (count > CASES_MAX)
        in.broken = true;
    if (!in.broken && count > 0)
        listing.cases = lz_mem_alloc(count * sizeof(listing.cases[0]));
    for (uint64_t i = 0; i < count && !in.broken; i++)
        get_case(&in, &listing.cases[listing.case_count++]);
    if (in.broken || in.left != 0) {
        lz_worker_listing_free(&listing);
        return false;
    }
    *out = listing;
    return true;
}

void lz_worker_listing_free(struct lz_worker_listing *listing)
{
    for (size_t i = 0; i < listing->case_count; i++)
        lz_select_pairs_free(&listing->cases[i].params);
    free(listing->cases);
    free(listing->scenario);
    free(listing->diagnostics);
    *listing = (struct lz_worker_listing){0};
}

static struct lz_record_meta describe(const struct lz_worker_run_opts *opts)
{
    return (struct lz_record_meta){
        .version = opts->version,
        .file = opts->source.path,
        .scenario = opts->scenario,
        .source = opts->source.text,
        .seed = opts->seed,
        .xfail = opts->xfail,
        .error = opts->error,
        .stop = opts->stop,
    };
}

static bool record(struct lz_record_meta *meta, const struct lz_select_pairs *params,
                   const struct lz_script_world *world, struct lz_worker_record *out,
                   struct lz_err *err)
{
    struct lz_record_param *rows = lz_mem_alloc((params->count + 1) * sizeof(rows[0]));
    for (size_t i = 0; i < params->count; i++)
        rows[i] = (struct lz_record_param){params->items[i].name, params->items[i].value};
    meta->params = rows;
    meta->param_count = params->count;
    out->stopped = meta->stop != NULL && strcmp(meta->stop, "script") != 0;
    const struct lz_record_parts parts = {
        .world = world->world, .faults = world->faults, .checks = world->checks};
    bool ok = lz_record_build(meta, &parts, &out->image, &out->size, err);
    free(rows);
    return ok;
}

bool lz_worker_record_absent(const struct lz_worker_run_opts *opts, struct lz_worker_record *out,
                             struct lz_err *err)
{
    LZ_ASSERT(opts->error != NULL || opts->stop != NULL);
    struct lz_record_meta meta = describe(opts);
    return record(&meta, opts->params, &(struct lz_script_world){0}, out, err);
}

// Load, build, run; `world` stays empty if it never came to a run.
static void carry_out(struct lz_script *s, const struct lz_worker_run_opts *opts,
                      struct lz_record_meta *meta, struct lz_script_world *world)
{
    enum lz_sim_stop stop = LZ_SIM_ENDED;
    if (lz_script_trouble(s) == LZ_SCRIPT_OK) {
        meta->scenario = lz_script_scenario(s);
        meta->about = lz_script_about(s);
        struct lz_script_world built;
        if (lz_script_build(s, opts->seed, opts->events_max, &built)) {
            stop = lz_script_run(s);
            *world = built;
        }
    }
    if (stop == LZ_SIM_EVENTS_USED)
        meta->stop = "events";
    switch (lz_script_trouble(s)) {
    case LZ_SCRIPT_OK:
        break;
    case LZ_SCRIPT_WRONG:
    case LZ_SCRIPT_RUNAWAY:
        meta->stop = world->world != NULL ? "script" : NULL;
        meta->error = lz_script_diagnostics(s, false);
        break;
    case LZ_SCRIPT_MEMORY:
        // The allocation that failed was left by a jump, so a queue or a table may
        // be half changed: nothing of that world is looked at again.
        meta->stop = "memory";
        *world = (struct lz_script_world){0};
        break;
    }
}

void lz_worker_run(const struct lz_worker_run_opts *opts, struct lz_str *message)
{
    struct lz_worker_record out = {0};
    struct lz_err err;
    if (opts->error != NULL || opts->stop != NULL) {
        if (!lz_worker_record_absent(opts, &out, &err))
            give_up(&err);
    } else {
        struct lz_script *s = load(&opts->source, opts->params);
        struct lz_record_meta meta = describe(opts);
        struct lz_script_world world = {0};
        carry_out(s, opts, &meta, &world);
        if (!record(&meta, opts->params, &world, &out, &err))
            give_up(&err);
        lz_script_destroy(s);
    }
    lz_wire_put_u64(message, out.stopped);
    lz_wire_put_blob(message, out.image, out.size);
    free(out.image);
}

bool lz_worker_record_read(const struct lz_str *message, struct lz_worker_record *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_worker_record record = {.stopped = lz_wire_get_u64(&in) != 0};
    record.image = lz_wire_get_blob(&in, &record.size);
    if (in.broken || in.left != 0) {
        free(record.image);
        return false;
    }
    *out = record;
    return true;
}
