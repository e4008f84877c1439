/*
 * A topic's history against a log in partitions: each anomaly is found where it is, alone, and none
 * where there is none; and the broker's account must not contradict what readers saw. Sends and
 * polls are written as texts.
 *
 * "s10+2@5!" is a send of 2 records that took effect at offset 10 of partition 0, of producer 1,
 * acknowledged as number 5 of all events, "!" and lost, "*" written twice, "x" aborted and not
 * acknowledged; without "@" it was not told. "p10+2=1@7" is a poll of 2 records at offset 10, of
 * send 1, as number 7.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "check/history/partitions.h"
#include "model/history/recorder_log.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct history {
    struct lz_recorder r;
    struct lz_recorder_send sends[8];
    struct lz_recorder_poll polls[8];
};

static uint64_t number(const char **p)
{
    char *rest;
    uint64_t n = strtoull(*p + 1, &rest, 10);
    *p = rest;
    return n;
}

static void read_send(struct history *h, const char **p)
{
    LZ_ASSERT(h->r.send_count < COUNT(h->sends));
    struct lz_recorder_send *s = &h->sends[h->r.send_count++];
    *s = (struct lz_recorder_send){.begin = 1, .producer = 1, .outcome = LZ_RECORDER_UNKNOWN};
    s->offset = number(p);
    s->count = (uint32_t)number(p);
    s->appended = 1;
    if (**p == '@') {
        s->end = number(p);
        s->outcome = LZ_RECORDER_OK;
        s->has_offset = true;
    }
    for (; **p == '!' || **p == '*' || **p == 'x'; (*p)++) {
        if (**p == 'x') {
            s->outcome = LZ_RECORDER_FAIL;
            s->has_offset = false;
        }
        s->is_lost = s->is_lost || **p == '!';
        s->appended += **p == '*';
    }
}

static void read_poll(struct history *h, const char **p)
{
    LZ_ASSERT(h->r.poll_count < COUNT(h->polls));
    struct lz_recorder_poll *o = &h->polls[h->r.poll_count++];
    *o = (struct lz_recorder_poll){0};
    o->offset = number(p);
    o->count = (uint32_t)number(p);
    o->send = (uint32_t)number(p);
    o->number = number(p);
}

static void read_history(struct history *h, const char *p)
{
    *h = (struct history){0};
    h->r.sends = h->sends;
    h->r.polls = h->polls;
    while (*p != '\0') {
        if (*p == 's')
            read_send(h, &p);
        else
            read_poll(h, &p);
        p += *p == ' ';
    }
}

static void each_anomaly_is_found_and_no_other(void **state)
{
    (void)state;
    static const struct {
        const char *history, *anomaly, *tolerates;
        bool is_contradiction;
    } rows[] = {
        {.history = "s0+2@2 s2+1@3 p0+2=1@4 p2+1=2@5"},
        {.history = "s0+2@2 p0+2=1@4 p0+2=1@6"}, // read again after a rebalance
        {.history = "s0+2@2 s2+1"},              // not read yet, and not told
        {.history = "s0+1@2! s0+1@4 p0+1=2@5", .anomaly = "lost-write"},
        {.history = "s0+1@2! s5+1 p0+1=2@5", .anomaly = "lost-write"},
        {.history = "s0+1@2!", .anomaly = "lost-write"}, // the broker knows
        {.history = "s0+1@2 s0+1@4 p0+1=2@5", .anomaly = "lost-write", .is_contradiction = true},
        // Read, lost without having been acknowledged, and another one in its place.
        {.history = "s0+1 s0+1@4 p0+1=1@3 p0+1=2@6", .anomaly = "inconsistent-offset"},
        {.history = "s0+1@2 p0+1=1@4 p7+1=1@5", .anomaly = "duplicate", .is_contradiction = true},
        {.history = "s0+1@2* p0+1=1@4 p7+1=1@5", .anomaly = "duplicate"},
        {.history = "s0+1@2* p0+1=1@4 p7+1=1@5", .tolerates = "duplicate reordered"},
        {.history = "s3+1@2 s2+1@3 p2+1=2@4 p3+1=1@5", .anomaly = "reordered"},
        {.history = "s3+1@2 s2+1@3 p2+1=2@4 p3+1=1@5", .tolerates = "reordered"},
        {.history = "s3+1@2 p3+1=1@5 p4+1=9@6", .anomaly = "unexpected"},
        {.history = "s3+1@2x s4+1@3 p4+1=2@5"},                     // aborted, and passed over
        {.history = "s3+1@4x p3+1=1@2", .anomaly = "aborted-read"}, // before it was aborted, too
        {.history = "s3+1@4x p3+1=1@2", .tolerates = "aborted-read"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct history h;
        struct lz_judge_result r;
        read_history(&h, rows[i].history);
        lz_partitions_judge(&h.r, rows[i].tolerates, &r);
        bool is_good = r.answer == LZ_VERIFY_HOLDS;
        if (is_good != (rows[i].anomaly == NULL) ||
            (rows[i].anomaly != NULL && strcmp(r.anomaly, rows[i].anomaly) != 0) ||
            r.is_contradiction != rows[i].is_contradiction)
            fail_msg("%s: answer %d, \"%s\", contradiction %d", rows[i].history, (int)r.answer,
                     r.anomaly, r.is_contradiction);
        lz_judge_finish(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_anomaly_is_found_and_no_other)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
