// An attempt that writes only what it has read: a read, and a write with the ETag of what was read
// (RFC 9110: If-Match in 13.1.1, If-None-Match in 13.1.2). In a history these are a read and a cas.

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "live/load/inner.h"

static void begin_step(struct lz_flight *f, enum lz_recorder_real_as as, lz_value expected,
                       struct lz_blanks *blanks)
{
    const struct lz_load_way *way = f->way;
    struct lz_world *w = way->load->world;
    lz_value written = 0;
    f->record = (struct lz_recorder_real){0};
    if (!lz_recorder_is_on(w, way->to))
        return;
    const struct lz_recorder_real_opts opts = {.to = way->to,
                                               .op = way->op,
                                               .key = blanks->key,
                                               .who = f->of->who,
                                               .as = as,
                                               .expected = expected};
    f->record = lz_recorder_real_begin(w, &opts, &written);
    if (written != 0)
        blanks->value = lz_value_to_integer(written);
}

static void end_step(struct lz_flight *f, enum lz_recorder_outcome outcome, lz_value seen)
{
    lz_recorder_real_end(f->way->load->world, &f->record, outcome, seen, false);
    f->record = (struct lz_recorder_real){0};
}

/*
 * False: no If-Match can be made of this answer, and `why` says why. A weak ETag never matches:
 * "An origin server MUST use the strong comparison function".
 */
static bool make_condition(struct lz_flight *f, const struct lz_fetch_result *seen,
                           const char **why)
{
    const char *etag = seen->etag;
    if (seen->status == 404) {
        snprintf(f->condition, sizeof(f->condition), "If-None-Match: *");
        return true;
    }
    *why = etag == NULL || etag[0] == '\0' ? "has no ETag"
           : strncmp(etag, "W/", 2) == 0   ? "has a weak ETag, which If-Match never matches"
           : strlen(etag) > sizeof(f->condition) - sizeof("If-Match: ")
               ? "has an ETag of over 500 bytes"
               : NULL;
    if (*why == NULL)
        snprintf(f->condition, sizeof(f->condition), "If-Match: %s", etag);
    return *why == NULL;
}

static void write_it(struct lz_flight *f, const struct lz_fetch_result *seen)
{
    struct lz_load_way *way = f->way;
    struct lz_world *w = way->load->world;
    struct lz_blanks blanks = f->of->blanks;
    lz_time left = f->until - lz_sim_now(w->sim);
    bool is_there = seen->status != 404;
    lz_value value = is_there ? lz_load_history_value(w, LZ_RECORDER_READ, seen) : 0;
    end_step(f, LZ_RECORDER_OK, value);
    if (left <= 0) {
        lz_flight_answered(f, &(struct lz_fetch_result){
                                  .outcome = LZ_FETCH_TIMEOUT,
                                  .text = "what it reads before it writes took all its time"});
        return;
    }
    begin_step(f, LZ_RECORDER_REAL_CAS, value, &blanks);
    blanks.header = f->condition;
    f->stepped = lz_sim_now(w->sim);
    f->run = lz_fetch_begin_with(f->leg->fetch, left, f->is_fresh, &blanks, lz_flight_answered, f);
}

static void on_looked(void *ctx, const struct lz_fetch_result *seen)
{
    struct lz_flight *f = ctx;
    struct lz_load_way *way = f->way;
    const char *why = NULL;
    lz_live_now(way->load->live);
    f->run = NULL;
    bool is_good =
        seen->outcome == LZ_FETCH_ANSWERED && (seen->status < 400 || seen->status == 404);
    bool is_whole = !lz_recorder_is_on(way->load->world, way->to) || seen->size < LZ_LOAD_KEEP;
    const struct lz_fetch_result too_much = {
        .outcome = LZ_FETCH_FAILED, .text = "what it reads before it writes has 1 MiB or more"};
    if (is_good && !is_whole)
        seen = &too_much;                         // nothing is written
    if (!is_good || !is_whole || f->of == NULL) { // nobody waits for it any more
        end_step(f, LZ_RECORDER_FAIL, 0);
        lz_flight_answered(f, seen);
    } else if (make_condition(f, seen, &why)) {
        write_it(f, seen);
    } else {
        lz_live_fail(way->load->live,
                     "%s: `if_match` needs the ETag of what it reads, and the answer for key %llu "
                     "%s: let the server give one, or leave `if_match` out",
                     way->name, (unsigned long long)f->of->blanks.key, why);
    }
}

void lz_condition_begin(struct lz_flight *f, lz_time patience, bool is_fresh)
{
    struct lz_blanks blanks = f->of->blanks;
    f->until = f->sent + patience;
    f->is_fresh = is_fresh;
    begin_step(f, LZ_RECORDER_REAL_LOOK, 0, &blanks);
    f->run = lz_fetch_begin_with(f->leg->look, patience, is_fresh, &blanks, on_looked, f);
}

void lz_condition_over(struct lz_flight *f, const struct lz_call_result *result)
{
    bool says_no = result->outcome == LZ_OUTCOME_REFUSED ||
                   (result->outcome == LZ_OUTCOME_ERROR && result->status >= 400 &&
                    result->status < 500); // 412 above all
    if (f->record.op == 0)
        return;
    end_step(f,
             result->outcome == LZ_OUTCOME_OK ? LZ_RECORDER_OK
             : says_no                        ? LZ_RECORDER_FAIL
                                              : LZ_RECORDER_UNKNOWN,
             0);
}
