// What a request of a traffic is in a history: an operation, a read of all accounts, a record.

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "live/load/inner.h"
#include "live/told.h"

void lz_load_history_leaves(struct lz_load_request *r)
{
    const struct lz_load_way *way = r->way;
    struct lz_world *w = way->load->world;
    r->attempts++;
    // Of a conditional write each attempt is an operation of its own: condition.c.
    if (r->is_recorded || way->legs[0].look != NULL || !lz_recorder_is_on(w, way->to))
        return;
    r->is_recorded = true;
    if (way->is_to_topic) {
        r->send = lz_recorder_tell_send(w, way->to, r->who);
        r->blanks.value = r->send != 0 ? r->send : r->blanks.value;
        return;
    }
    if (lz_recorder_has_accounts(w, way->to)) {
        if (lz_recorder_real_f(w, way->to, way->op) == LZ_RECORDER_READ)
            r->read = lz_recorder_tell_ask(w, way->to, r->who);
        return;
    }
    lz_value written;
    const struct lz_recorder_real_opts opts = {
        .to = way->to, .op = way->op, .key = r->blanks.key, .who = r->who};
    r->record = lz_recorder_real_begin(w, &opts, &written);
    if (written != 0)
        r->blanks.value = lz_value_to_integer(written);
}

// ---------------------------------------------------------------- single operations

lz_value lz_load_history_value(struct lz_world *w, enum lz_recorder_f f,
                               const struct lz_fetch_result *said)
{
    static const char around[] = " \t\r\n";
    const char *text = said->text != NULL ? said->text : "";
    size_t len = said->text != NULL ? said->size : 0;
    int64_t number;
    while (len > 0 && memchr(around, text[0], sizeof(around) - 1) != NULL)
        text++, len--;
    while (len > 0 && memchr(around, text[len - 1], sizeof(around) - 1) != NULL)
        len--;
    if (len == 0)
        return 0;
    bool is_number = f != LZ_RECORDER_MEMBERS && lz_told_number(text, len, &number);
    return is_number ? lz_value_integer(number) : lz_value_text(w, text, len);
}

/*
 * What its client can be sure of. That there is nothing (404) is what a read saw, and what a delete
 * came to. Another answer below 500 that is no success says that nothing was done, and so does a
 * refused connection; but of a write that was sent before, nothing says what became of that.
 * Without an answer (`said`) this attempt was not let through: what was sent was one before it. A
 * read whose answer has more bytes than are kept was not seen.
 */
static enum lz_recorder_outcome certainty(const struct lz_load_request *r, enum lz_recorder_f f,
                                          const struct lz_call_result *result,
                                          const struct lz_fetch_result *said)
{
    bool is_absent = result->outcome == LZ_OUTCOME_ERROR && result->status == 404;
    bool is_removal = lz_recorder_is_removal(r->way->load->world, r->way->op);
    bool reads = f == LZ_RECORDER_READ || f == LZ_RECORDER_MEMBERS;
    if (reads && said != NULL && said->size >= LZ_LOAD_KEEP) {
        lz_live_note(r->way->load->live,
                     "%s: of an answer of 1 MiB or more the rest is not read: "
                     "that it was read is not in the history",
                     r->way->name);
        return LZ_RECORDER_FAIL;
    }
    if (result->outcome == LZ_OUTCOME_OK || (is_absent && (reads || is_removal)))
        return LZ_RECORDER_OK;
    if (reads)
        return LZ_RECORDER_FAIL;
    bool says_no =
        result->outcome == LZ_OUTCOME_REFUSED ||
        (result->outcome == LZ_OUTCOME_ERROR && result->status >= 400 && result->status < 500);
    return says_no && said != NULL && r->attempts <= 1 ? LZ_RECORDER_FAIL : LZ_RECORDER_UNKNOWN;
}

static void end_operation(const struct lz_load_request *r, const struct lz_call_result *result,
                          const struct lz_fetch_result *said)
{
    struct lz_world *w = r->way->load->world;
    enum lz_recorder_f f = lz_recorder_real_f(w, r->record.to, r->way->op);
    enum lz_recorder_outcome outcome = certainty(r, f, result, said);
    bool has_seen = outcome == LZ_RECORDER_OK && result->outcome == LZ_OUTCOME_OK && said != NULL;
    lz_recorder_real_end(w, &r->record, outcome, has_seen ? lz_load_history_value(w, f, said) : 0,
                         r->attempts > 1);
}

// ---------------------------------------------------------------- accounts and records

static void tell_unread(struct lz_load_way *way, const char *what, const char *why)
{
    if (way->is_unread_told)
        return;
    way->is_unread_told = true;
    lz_live_note(way->load->live, "%s: the first answer that does not tell %s: %s", way->name, what,
                 why);
}

static void end_read(const struct lz_load_request *r, const struct lz_call_result *result,
                     const struct lz_fetch_result *said)
{
    struct lz_load_way *way = r->way;
    struct lz_recorder_account *accounts = NULL;
    size_t count = 0;
    char why[160] = "it has 1 MiB or more";
    bool is_whole = result->outcome == LZ_OUTCOME_OK && said != NULL && said->size < LZ_LOAD_KEEP;
    if (is_whole)
        accounts = lz_told_accounts(said->text != NULL ? said->text : "",
                                    said->text != NULL ? said->size : 0, &count, why, sizeof(why));
    if (accounts == NULL && result->outcome == LZ_OUTCOME_OK && said != NULL)
        tell_unread(way, "what the accounts hold", why);
    lz_recorder_tell_told(way->load->world, way->to, r->read, accounts, count);
    free(accounts);
}

static void end_send(const struct lz_load_request *r, const struct lz_call_result *result,
                     const struct lz_fetch_result *said)
{
    struct lz_load_way *way = r->way;
    struct lz_world *w = way->load->world;
    struct lz_recorder_place place;
    if (result->outcome != LZ_OUTCOME_OK || said == NULL) {
        lz_recorder_tell_lost_sight(w, way->to, r->send);
        return;
    }
    bool has_place = said->text != NULL && lz_told_place(said->text, said->size, &place);
    if (!has_place)
        tell_unread(way, "where the record stands", "it names no offset");
    lz_recorder_tell_sent(w, way->to, r->send, has_place ? &place : NULL);
}

void lz_load_history_over(struct lz_load_request *r, const struct lz_call_result *result,
                          const struct lz_fetch_result *said)
{
    if (r->record.op != 0)
        end_operation(r, result, said);
    else if (r->read != 0)
        end_read(r, result, said);
    else if (r->send != 0)
        end_send(r, result, said);
}
