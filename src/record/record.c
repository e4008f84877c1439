#include "record/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/memory.h"
#include "record/record_rows.h"
#include "sim/sim.h"

#define WHY_MAX 400
#define SQLITE_SEED 1

// The verdict of a run as people and programs are told it. A failure that was seen
// before the budget ran out stays one; with nothing seen, nothing is known.
const char *lz_record_verdict(const struct lz_record_meta *meta, const struct lz_checks *checks,
                              char *why, size_t why_size)
{
    why[0] = '\0';
    if (meta->diverged != NULL) // whatever it says of itself: another run of it says otherwise
        return "diverged";
    if (meta->error != NULL)
        return "error";
    enum lz_verdict verdict =
        checks != NULL ? lz_checks_verdict(checks, why, why_size) : LZ_VERDICT_INCONCLUSIVE;
    if (meta->stop != NULL && verdict != LZ_VERDICT_FAIL)
        return "budget";
    if (!meta->xfail || verdict == LZ_VERDICT_INCONCLUSIVE)
        return lz_check_verdict_name(verdict);
    return verdict == LZ_VERDICT_FAIL ? "xfail" : "xpass";
}

static void describe_budget(const struct lz_record_meta *meta, const struct lz_world *world,
                            char *why, size_t why_size)
{
    static const char *const budgets[][2] = {
        {"events", "the budget of events was used up"},
        {"memory", "the memory budget was used up"},
        {"wall", "the wall-clock limit was reached"},
    };
    const char *text = "the run was stopped";
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++)
        if (strcmp(meta->stop, budgets[i][0]) == 0)
            text = budgets[i][1];
    if (world != NULL)
        snprintf(why, why_size, "%s after %" PRIu64 " events, at %.3f s of virtual time", text,
                 lz_sim_events(world->sim), (double)lz_sim_now(world->sim) / 1e9);
    else
        snprintf(why, why_size, "%s; nothing is known of the run", text);
}

static void put_seed(struct lz_record_insert *i, uint64_t seed, char *text, size_t text_size)
{
    snprintf(text, text_size, "%" PRIu64, seed);
    if (seed <= INT64_MAX)
        lz_record_put_int(i, (int64_t)seed);
    else
        lz_record_put_text(i, text);
}

// "retries=3,retry_budget=off", as `--case` takes it.
static void add_case(struct lz_str *out, const struct lz_record_meta *meta)
{
    for (size_t i = 0; i < meta->param_count; i++)
        lz_str_addf(out, "%s%s=%s", i > 0 ? "," : "", meta->params[i].name, meta->params[i].value);
}

static void put_run(struct lz_record_writer *w, const struct lz_record_meta *meta,
                    const struct lz_world *world, const struct lz_checks *checks)
{
    char why[WHY_MAX], hash[20] = "", seed[24];
    const char *verdict = lz_record_verdict(meta, checks, why, sizeof(why));
    struct lz_str case_id;
    lz_str_init(&case_id);
    add_case(&case_id, meta);
    if (strcmp(verdict, "budget") == 0)
        describe_budget(meta, world, why, sizeof(why));
    if (world != NULL)
        snprintf(hash, sizeof(hash), "%016" PRIx64, lz_sim_trace(world->sim));

    struct lz_record_insert i = lz_record_insert(
        w,
        "insert into run values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    lz_record_put_text(&i, LZ_RECORD_SCHEMA);
    lz_record_put_text(&i, meta->version);
    lz_record_put_text(&i, meta->file);
    lz_record_put_text(&i, meta->scenario);
    lz_record_put_text(&i, meta->about);
    lz_record_put_text(&i, case_id.text);
    put_seed(&i, meta->seed, seed, sizeof(seed));
    lz_record_put_text(&i, meta->token);
    lz_record_put_text(&i, verdict);
    lz_record_put_text(&i, why);
    lz_record_put_text(&i, world != NULL && !meta->is_live ? hash : NULL);
    lz_record_put_int(&i, world != NULL ? (int64_t)lz_sim_events(world->sim) : 0);
    lz_record_put_int(&i, world != NULL ? lz_sim_now(world->sim) : 0);
    lz_record_put_int(&i, world != NULL ? world->warmup : 0);
    lz_record_put_text(&i, meta->stop);
    lz_record_put_text(&i, meta->diverged != NULL ? meta->diverged : meta->error);
    lz_record_put_text(&i, meta->source);
    struct lz_memory memory = {0};
    if (world != NULL)
        memory = lz_memory_of_world(world);
    lz_record_put_int(&i, memory.in_flight_max);
    lz_record_put_int(&i, (int64_t)memory.in_flight);
    lz_record_put_int(&i, (int64_t)meta->memory_bytes);
    lz_record_put_int(&i, (int64_t)meta->ordinal);
    lz_record_end_row(&i);
    lz_record_finish(&i);
    lz_str_finish(&case_id);
}

static void put_params(struct lz_record_writer *w, const struct lz_record_meta *meta)
{
    struct lz_record_insert i = lz_record_insert(w, "insert into param values (?, ?)");
    for (size_t at = 0; at < meta->param_count; at++) {
        lz_record_put_text(&i, meta->params[at].name);
        lz_record_put_text(&i, meta->params[at].value);
        lz_record_end_row(&i);
    }
    lz_record_finish(&i);
}

static void execute(struct lz_record_writer *w, const char *sql)
{
    if (w->status == SQLITE_OK)
        w->status = sqlite3_exec(w->db, sql, NULL, NULL, NULL);
}

// What serialising hands out is SQLite's own memory, which free() must not see.
static bool take_image(struct lz_record_writer *w, unsigned char **image, size_t *size)
{
    sqlite3_int64 len = 0;
    if (w->status != SQLITE_OK)
        return false;
    unsigned char *bytes = sqlite3_serialize(w->db, "main", &len, 0);
    if (bytes == NULL || len <= 0) {
        w->status = SQLITE_NOMEM;
        return false;
    }
    *image = lz_mem_alloc((size_t)len);
    memcpy(*image, bytes, (size_t)len);
    *size = (size_t)len;
    sqlite3_free(bytes);
    return true;
}

struct sqlite3 *lz_record_memory(void)
{
    sqlite3 *db = NULL;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(":memory:", &db, flags, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    // SQLite seeds its generator from the system; this seeds it again, from a number.
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, SQLITE_SEED, NULL);
    return db;
}

bool lz_record_build(const struct lz_record_meta *meta, const struct lz_record_parts *parts,
                     unsigned char **image, size_t *size, struct lz_err *err)
{
    const struct lz_world *world = parts->world;
    const struct lz_faults *faults = parts->faults;
    const struct lz_checks *checks = parts->checks;
    LZ_ASSERT(meta != NULL);
    LZ_ASSERT(LZ_IMPLIES(meta->param_count > 0, meta->params != NULL));
    LZ_ASSERT(LZ_IMPLIES(world == NULL, meta->error != NULL || meta->stop != NULL));
    LZ_ASSERT(LZ_IMPLIES(faults != NULL || checks != NULL, world != NULL));
    struct lz_record_writer w = {0};
    w.db = lz_record_memory();
    w.status = w.db != NULL ? SQLITE_OK : SQLITE_NOMEM;
    execute(&w, lz_record_schema);
    if (w.status == SQLITE_OK) {
        put_run(&w, meta, world, checks);
        put_params(&w, meta);
    }
    if (w.status == SQLITE_OK && world != NULL) {
        lz_record_put_world(&w, world);
        lz_record_put_events(&w, world);
        lz_record_put_requests(&w, world);
        lz_record_put_histories(&w, world);
    }
    if (w.status == SQLITE_OK && faults != NULL)
        lz_record_put_faults(&w, world, faults);
    if (w.status == SQLITE_OK && checks != NULL)
        lz_record_put_checks(&w, world, checks);
    execute(&w, "commit");
    bool ok = take_image(&w, image, size);
    if (!ok)
        lz_fail(err, LZ_EIO, "cannot build the record of %s: %s",
                meta->file != NULL ? meta->file : "the run", sqlite3_errstr(w.status));
    sqlite3_close(w.db);
    return ok;
}
