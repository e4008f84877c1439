#include "explore/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "explore/brief.h"
#include "explore/exit.h"
#include "explore/project.h"
#include "explore/ticker.h"
#include "explore/token.h"
#include "explore/wire.h"
#include "model/traffic/request.h"
#include "record/record.h"

#define TAGS_MAX 100000
#define WHY_SIZE 400
#define CASES_MAX 1000000 // more than a matrix can have; a message that says so is broken

// Not the scenario's fault, and nothing to go on with: the parent reports what was said.
static _Noreturn void give_up(const struct lz_err *err)
{
    fprintf(stderr, "lorenz: %s\n", err->msg);
    _exit(LZ_EXIT_BUG);
}

// What a shaken run has that is not as always; see twin.h.
#define SHAKEN_SLOT 1
#define SHAKEN_HASH_SEED 0x5eed0ffu
#define SHAKEN_GC_PAUSE 110
#define SHAKEN_STACK 40000

// How a scenario is loaded; counted unless there are ticks.
enum manner { TICKED, COUNTED, SHAKEN, CHECKED };

static struct lz_script *load(const struct lz_worker_source *source,
                              const struct lz_select_pairs *pins, enum manner manner)
{
    const struct lz_script_opts opts = {
        .is_ticked = manner == TICKED,
        .is_checked = manner == CHECKED,
        .slot = manner == SHAKEN ? SHAKEN_SLOT : 0,
        .hash_seed = manner == SHAKEN ? SHAKEN_HASH_SEED : 0,
        .gc_pause = manner == SHAKEN ? SHAKEN_GC_PAUSE : 0,
        .path = source->path,
        .source = source->text,
        .source_len = source->len,
        .sets = pins->items,
        .set_count = pins->count,
        .files = {.ctx = (void *)source->path, .read = lz_project_read},
    };
    struct lz_script *script;
    struct lz_err err;
    if (!lz_script_load(&opts, &script, &err))
        give_up(&err);
    return script;
}

// Load, and again with instructions counted if that took suspiciously long.
static struct lz_script *load_ticked(const struct lz_worker_source *source,
                                     const struct lz_select_pairs *pins)
{
    lz_ticker_start();
    struct lz_script *s = load(source, pins, TICKED);
    if (lz_script_trouble(s) == LZ_SCRIPT_TICKED) {
        lz_ticker_stop();
        lz_script_destroy(s);
        s = load(source, pins, COUNTED);
    }
    return s;
}

struct lz_script *lz_worker_load(const struct lz_worker_source *source,
                                 const struct lz_select_pairs *pins)
{
    return load(source, pins, COUNTED);
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

static void read_tags(struct lz_worker_listing *listing, const struct lz_script *s)
{
    size_t count = lz_script_tag_count(s);
    listing->tags = count > 0 ? lz_mem_alloc(count * sizeof(listing->tags[0])) : NULL;
    for (; listing->tag_count < count; listing->tag_count++)
        listing->tags[listing->tag_count] = copy(lz_script_tag(s, listing->tag_count));
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
        struct lz_script *s = load(&opts->source, &listing->cases[i].params, CHECKED);
        struct lz_script_world world;
        bool is_whole = lz_script_trouble(s) == LZ_SCRIPT_OK && lz_script_is_runnable(s);
        if (is_whole && !lz_script_build(s, 1, 0, &world))
            LZ_ASSERT(lz_script_trouble(s) != LZ_SCRIPT_OK);
        note_trouble(listing, s, opts->colour);
        lz_script_destroy(s);
    }
}

static void put_listing(const struct lz_worker_listing *listing, struct lz_str *out)
{
    lz_wire_put_u64(out, (uint64_t)listing->trouble);
    lz_wire_put_u64(out, listing->text_hash);
    lz_wire_put_text(out, listing->scenario);
    lz_wire_put_text(out, listing->diagnostics);
    lz_wire_put_u64(out, (uint64_t)listing->duration);
    lz_wire_put_u64(out, listing->seeds);
    lz_wire_put_u64(out, listing->is_real);
    lz_wire_put_u64(out, listing->tag_count);
    for (size_t i = 0; i < listing->tag_count; i++)
        lz_wire_put_text(out, listing->tags[i]);
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
    struct lz_script *s = load_ticked(&opts->source, opts->sets);
    note_trouble(&listing, s, opts->colour);
    listing.text_hash = lz_script_text_hash(s);
    if (listing.trouble == LZ_SCRIPT_OK) {
        listing.scenario = copy(lz_script_scenario(s));
        listing.duration = lz_script_duration(s);
        listing.seeds = lz_script_seeds(s);
        listing.is_real = lz_script_is_real(s);
        read_tags(&listing, s);
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

static void get_tags(struct lz_wire *in, struct lz_worker_listing *listing)
{
    uint64_t count = lz_wire_get_u64(in);
    if (count > TAGS_MAX)
        in->broken = true;
    if (in->broken || count == 0)
        return;
    listing->tags = lz_mem_alloc(count * sizeof(listing->tags[0]));
    for (; listing->tag_count < count; listing->tag_count++) {
        char *tag = lz_wire_get_text(in);
        in->broken = in->broken || tag == NULL;
        if (in->broken)
            return;
        listing->tags[listing->tag_count] = tag;
    }
}

bool lz_worker_listing_read(const struct lz_str *message, struct lz_worker_listing *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_worker_listing listing = {
        .trouble = (enum lz_script_trouble)lz_wire_get_u64(&in),
    };
    listing.text_hash = lz_wire_get_u64(&in);
    listing.scenario = lz_wire_get_text(&in);
    listing.diagnostics = lz_wire_get_text(&in);
    listing.duration = (int64_t)lz_wire_get_u64(&in);
    listing.seeds = lz_wire_get_u64(&in);
    listing.is_real = lz_wire_get_u64(&in) != 0;
    get_tags(&in, &listing);
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
    for (size_t i = 0; i < listing->tag_count; i++)
        free(listing->tags[i]);
    free(listing->tags);
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
        .ordinal = opts->ordinal,
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
    char token[LZ_TOKEN_SIZE];
    struct lz_token t =
        lz_token_make(opts->seed, lz_hash_bytes(opts->source.text, opts->source.len));
    t.order = opts->order;
    t.is_swarm = opts->swarm > 0.0;
    meta.token = lz_token_write(&t, token);
    return record(&meta, opts->params, &(struct lz_script_world){0}, out, err);
}

// A brief tells of expectations alone; code may look at any metric.
static bool needs_kept_only(const struct lz_script *s, const struct lz_worker_run_opts *opts)
{
    bool is_watched = opts->watch != NULL || opts->prepare != NULL;
    return opts->is_brief && !opts->is_measured && !is_watched && !lz_script_has_code(s);
}

// Load, build, run; `world` stays empty if it never came to a run.
static void carry_out(struct lz_script *s, const struct lz_worker_run_opts *opts, bool attends,
                      struct lz_twin *twin, struct lz_record_meta *meta,
                      struct lz_script_world *world)
{
    enum lz_sim_stop stop = LZ_SIM_ENDED;
    if (lz_script_trouble(s) == LZ_SCRIPT_OK) {
        meta->scenario = lz_script_scenario(s);
        meta->about = lz_script_about(s);
        struct lz_script_world built;
        if (opts->prepare != NULL)
            opts->prepare(opts->watch_ctx);
        lz_script_set_swarm(s, opts->swarm);
        lz_script_set_without(s, opts->without);
        lz_script_set_order(s, &opts->order);
        if (lz_script_build(s, opts->seed, opts->events_max, &built)) {
            if (opts->future != 0) {
                lz_world_has(built.world, LZ_UNUSUAL_FUTURES);
                lz_sim_set_future(built.world->sim, opts->future_at, opts->future);
            }
            if (opts->traces != NULL)
                lz_requests_keep(built.world, *opts->traces);
            if (twin != NULL)
                lz_twin_watch(twin, built.world->sim);
            if (opts->watch != NULL)
                opts->watch(opts->watch_ctx, built.world->sim, built.world);
            if (attends && needs_kept_only(s, opts))
                lz_metrics_attend(built.world->metrics);
            stop = lz_script_run(s);
            *world = built;
        }
    }
    if (stop == LZ_SIM_EVENTS_USED)
        meta->stop = "events";
    switch (lz_script_trouble(s)) {
    case LZ_SCRIPT_OK:
    case LZ_SCRIPT_TICKED: // to be run again
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

// How this run ended, for its twin to be compared with. The meta has no memory yet, which
// may differ: it depends on how often garbage is collected.
static struct lz_twin_end end_of(struct lz_record_meta *meta, const struct lz_select_pairs *params,
                                 const struct lz_script_world *world)
{
    struct lz_worker_record out = {0};
    struct lz_twin_end end = {0};
    struct lz_err err;
    if (!record(meta, params, world, &out, &err))
        give_up(&err);
    end.record = lz_hash_bytes(out.image, out.size);
    if (world->world != NULL) {
        end.events = lz_sim_events(world->world->sim);
        end.trace = lz_sim_trace(world->world->sim);
    }
    free(out.image);
    return end;
}

static void explain_difference(struct lz_str *text, const struct lz_worker_run_opts *opts,
                               const struct lz_str *what)
{
    if (opts->other != NULL) { // they were meant to differ
        lz_str_add(text, what->text);
        return;
    }
    lz_str_addf(text, "not reproducible: two runs of seed %" PRIu64 " differ\n%s", opts->seed,
                what->text);
    if (opts->twin == LZ_TWIN_SHAKEN)
        lz_str_add(text, "the second run had another Lua hash seed, arena address, stack and pace "
                         "of garbage collection\n");
    lz_str_add(text,
               "help: this is a bug in lorenz or a hole in its sandbox; report it with this "
               "text and the scenario; `lorenz doctor` says what is closed on this machine\n");
}

/*
 * The twin says how it ended and is gone; the worker puts a difference into `text`. False:
 * a run that used up its memory is not compared; when it does is up to the garbage collector.
 */
static bool compare(const struct lz_worker_run_opts *opts, struct lz_twin *twin,
                    struct lz_record_meta *meta, const struct lz_script_world *world,
                    struct lz_str *text)
{
    struct lz_twin_end end = end_of(meta, opts->params, world);
    if (lz_twin_is_self(twin))
        lz_twin_leave(twin, &end);
    bool is_comparable = meta->stop == NULL || strcmp(meta->stop, "memory") != 0;
    struct lz_str what;
    lz_str_init(&what);
    if (!lz_twin_finish(twin, &end, &what) && is_comparable) {
        explain_difference(text, opts, &what);
        meta->diverged = text->text;
    }
    lz_str_finish(&what);
    return is_comparable;
}

static void leave_brief(const struct lz_record_meta *meta, const struct lz_script_world *world,
                        bool is_measured, struct lz_str *message)
{
    char why[WHY_SIZE];
    struct lz_brief_facts facts = {.checks = world->checks,
                                   .why = why,
                                   .world = world->world,
                                   .faults = world->faults,
                                   .measured = is_measured ? world->world : NULL};
    facts.verdict = lz_record_verdict(meta, world->checks, why, sizeof(why));
    if (meta->error != NULL)
        facts.why = meta->error;
    else if (meta->stop != NULL && why[0] == '\0')
        facts.why = meta->stop;
    facts.stopped = meta->stop != NULL && strcmp(meta->stop, "script") != 0;
    if (world->world != NULL) {
        facts.trace = lz_sim_trace(world->world->sim);
        facts.events = lz_sim_events(world->world->sim);
    }
    lz_brief_write(&facts, message);
}

// One run from the text to the record. False: a ticked one ran on, or looked at what nobody was
// to look at, and nothing is known.
static bool run_once(const struct lz_worker_run_opts *opts, struct lz_twin *twin,
                     enum manner manner, struct lz_worker_record *out)
{
    bool is_other = twin != NULL && opts->other != NULL && lz_twin_is_self(twin);
    struct lz_script *s = load(is_other ? opts->other : &opts->source,
                               is_other ? opts->other_params : opts->params, manner);
    struct lz_record_meta meta = describe(opts);
    struct lz_script_world world = {0};
    struct lz_str difference;
    char token[LZ_TOKEN_SIZE];
    struct lz_err err;
    lz_str_init(&difference);
    struct lz_token t = lz_token_make(opts->seed, lz_script_text_hash(s));
    t.order = opts->order;
    t.is_swarm = opts->swarm > 0.0;
    meta.token = lz_token_write(&t, token);
    carry_out(s, opts, manner == TICKED, twin, &meta, &world);
    bool is_over = lz_script_trouble(s) != LZ_SCRIPT_TICKED &&
                   (world.world == NULL || !lz_metrics_missed(world.world->metrics));
    uint64_t memory = world.world != NULL ? lz_arena_peak(world.world->arena) : 0;
    if (twin != NULL)
        out->compared = compare(opts, twin, &meta, &world, &difference);
    meta.memory_bytes = memory; // of the run, without what recording it takes
    if (is_over && opts->is_brief)
        leave_brief(&meta, &world, opts->is_measured, &out->brief);
    else if (is_over && !record(&meta, opts->params, &world, out, &err))
        give_up(&err);
    lz_str_finish(&difference);
    lz_script_destroy(s);
    return is_over;
}

static void run_case(const struct lz_worker_run_opts *opts, struct lz_twin *twin,
                     struct lz_worker_record *out)
{
    if (twin != NULL) { // what was compared cannot be taken back
        bool is_shaken = opts->twin == LZ_TWIN_SHAKEN && lz_twin_is_self(twin);
        run_once(opts, twin, is_shaken ? SHAKEN : COUNTED, out);
        return;
    }
    lz_ticker_start();
    bool is_over = run_once(opts, NULL, TICKED, out);
    lz_ticker_stop();
    if (!is_over)
        run_once(opts, NULL, COUNTED, out);
}

// The same with the stack somewhere else. Volatile, so that the room is really taken.
static __attribute__((noinline)) void run_deeper(const struct lz_worker_run_opts *opts,
                                                 struct lz_twin *twin, struct lz_worker_record *out)
{
    volatile unsigned char room[SHAKEN_STACK];
    room[0] = 0;
    run_case(opts, twin, out);
    room[1] = room[0];
}

/*
 * A pct must know among how many deliveries it may change its mind: a run in the network's own
 * order counts them. What it is like otherwise is of no interest; a budget or an error ends it as
 * it will end the real one.
 */
static uint64_t count_deliveries(const struct lz_worker_run_opts *opts)
{
    struct lz_worker_run_opts counting = *opts;
    counting.order = (struct lz_order_opts){.kind = LZ_ORDER_COUNT};
    struct lz_script *s = load(&opts->source, opts->params, COUNTED);
    struct lz_record_meta meta = describe(opts);
    struct lz_script_world world = {0};
    carry_out(s, &counting, false, NULL, &meta, &world);
    uint64_t steps = world.world != NULL ? lz_order_steps(world.world->order) : 0;
    lz_script_destroy(s);
    return steps > 0 ? steps : 1;
}

static void run(const struct lz_worker_run_opts *opts, struct lz_str *message)
{
    struct lz_worker_record out = {0};
    lz_str_init(&out.brief);
    LZ_ASSERT(LZ_IMPLIES(opts->is_brief, opts->twin == LZ_TWIN_NONE));
    struct lz_twin *twin = NULL;
    struct lz_err err;
    if (opts->error != NULL || opts->stop != NULL) {
        if (!lz_worker_record_absent(opts, &out, &err))
            give_up(&err);
    } else {
        if (opts->twin != LZ_TWIN_NONE && !lz_twin_begin(opts->twin, &twin, &err))
            give_up(&err);
        if (twin != NULL && lz_twin_is_self(twin) && opts->twin == LZ_TWIN_SHAKEN)
            run_deeper(opts, twin, &out); // does not return: the twin leaves
        run_case(opts, twin, &out);
    }
    if (opts->is_brief) {
        lz_str_add_n(message, out.brief.text, out.brief.len);
        lz_str_finish(&out.brief);
        return;
    }
    lz_wire_put_u64(message, out.stopped);
    lz_wire_put_u64(message, out.compared);
    lz_wire_put_blob(message, out.image, out.size);
    free(out.image);
}

void lz_worker_run(const struct lz_worker_run_opts *opts, struct lz_str *message)
{
    struct lz_worker_run_opts known = *opts;
    bool can_run = opts->error == NULL && opts->stop == NULL;
    if (can_run && opts->order.kind == LZ_ORDER_PCT && opts->order.steps == 0)
        known.order.steps = count_deliveries(opts);
    run(&known, message);
}

bool lz_worker_record_read(const struct lz_str *message, struct lz_worker_record *out)
{
    struct lz_wire in = {.at = message->text, .left = message->len};
    struct lz_worker_record record = {.stopped = lz_wire_get_u64(&in) != 0};
    record.compared = lz_wire_get_u64(&in) != 0;
    record.image = lz_wire_get_blob(&in, &record.size);
    if (in.broken || in.left != 0) {
        free(record.image);
        return false;
    }
    *out = record;
    return true;
}
