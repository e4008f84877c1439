/*
 * The crew: jobs in child processes. What a job does is its letter in a word: a word is
 * a whole crew, and the transcript of what was handed over is the expectation.
 *
 *   a..f  leave the letter as the message        S  abort        X  exit with 3
 *   Z     sleep past the limit                   Q  close down without a message
 *   B     leave a message of 3 MB                P  print, then leave "P"
 *   I     interrupt the parent, then sleep        K  be killed  M  abort for want of memory
 * A job that this machine cut off has a tilde.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "explore/crew.h"

#define BIG (3 << 20)

struct stage {
    const char *word;
    size_t wanted; // stop after so many; 0: all
    size_t seen;
    char transcript[512];
};

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct stage *stage = ctx;
    char letter = stage->word[job];
    if (letter == 'S')
        abort();
    if (letter == 'X')
        exit(3);
    if (letter == 'K')
        kill(getpid(), SIGKILL);
    if (letter == 'M') {
        fprintf(stderr, "out of memory");
        abort();
    }
    if (letter == 'Q')
        _exit(0);
    if (letter == 'Z')
        sleep(60);
    if (letter == 'I')
        kill(getppid(), SIGINT);
    if (letter == 'I')
        sleep(60);
    if (letter == 'P')
        fprintf(stderr, "err");
    if (letter == 'B')
        lz_str_add_repeat(message, "x", BIG);
    else
        lz_str_add_char(message, letter);
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct stage *stage = ctx;
    char line[128];
    (void)job;
    if (r->end == LZ_CREW_DONE && r->message.len == BIG)
        snprintf(line, sizeof(line), "big");
    else if (r->end == LZ_CREW_DONE)
        snprintf(line, sizeof(line), "%s", r->message.text);
    else if (r->end == LZ_CREW_TIMED_OUT)
        snprintf(line, sizeof(line), "late");
    else
        snprintf(line, sizeof(line), "<%s>", r->how);
    if (lz_crew_is_cut_off(r))
        strcat(line, "~");
    size_t len = strlen(stage->transcript);
    snprintf(stage->transcript + len, sizeof(stage->transcript) - len, "%s%s%s%s",
             len > 0 ? " " : "", line, r->said.len > 0 ? ":" : "",
             r->end == LZ_CREW_DONE ? r->said.text : "");
    return ++stage->seen != stage->wanted;
}

static int play(struct stage *stage, unsigned workers)
{
    const struct lz_crew_opts opts = {
        .jobs = strlen(stage->word),
        .workers = workers,
        .timeout_ns = 300 * 1000000LL,
        .ctx = stage,
        .work = work,
        .done = done,
    };
    int stopped_by = -1;
    struct lz_err err;
    assert_true(lz_crew_run(&opts, &stopped_by, &err));
    return stopped_by;
}

static void results_come_in_order_whatever_happens_to_each(void **state)
{
    (void)state;
    static const struct {
        const char *word, *transcript;
    } table[] = {
        {"", ""},
        {"a", "a"},
        {"abcdef", "a b c d e f"},
        {"aSb", "a <SIGABRT> b"},
        {"XaQ", "<exit status 3> a <no message>"},
        {"Zab", "late~ a b"},
        {"aKb", "a <SIGKILL>~ b"},
        {"aMb", "a <SIGABRT>~: b"},
        {"aBc", "a big c"},
        {"aPb", "a P:err b"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        for (unsigned workers = 1; workers <= 4; workers += 3) {
            struct stage stage = {.word = table[i].word};
            assert_int_equal(play(&stage, workers), 0);
            assert_string_equal(stage.transcript, table[i].transcript);
            assert_int_equal(stage.seen, strlen(table[i].word));
        }
    }
}

static void nothing_is_handed_over_after_a_refusal(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        struct stage stage = {.word = "abcdef", .wanted = 2};
        assert_int_equal(play(&stage, workers), 0);
        assert_string_equal(stage.transcript, "a b");
    }
}

static void an_interrupt_keeps_what_has_finished(void **state)
{
    (void)state;
    struct stage stage = {.word = "abIc"};
    assert_int_equal(play(&stage, 1), SIGINT);
    assert_string_equal(stage.transcript, "a b");
}

static void there_is_at_least_one_processor(void **state)
{
    (void)state;
    assert_true(lz_crew_processors() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_order_whatever_happens_to_each),
        cmocka_unit_test(nothing_is_handed_over_after_a_refusal),
        cmocka_unit_test(an_interrupt_keeps_what_has_finished),
        cmocka_unit_test(there_is_at_least_one_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
