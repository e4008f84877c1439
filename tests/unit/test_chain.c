/*
 * A chain must have its records in the order in which they came, whoever leaves, and refuse what
 * would tear it.
 *
 * Method: a line of a small language, "+a" appends a, "-a" takes it out; then the names are read
 * off from the first to the last, and backwards. What must abort runs in a process of its own.
 */
#include "base/chain.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct record {
    char name;
    struct lz_chain here; // not first: LZ_CHAIN_RECORD has something to do
};

struct stage {
    struct lz_chain head;
    struct record records[4]; // a .. d
};

static void play(struct stage *s, const char *line)
{
    for (; *line != '\0'; line += 2) {
        struct record *r = &s->records[line[1] - 'a'];
        r->name = line[1];
        if (line[0] == '+')
            lz_chain_append(&s->head, &r->here);
        else
            lz_chain_remove(&r->here);
    }
}

static void they_stand_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    static const struct {
        const char *line, *chain, *back;
    } rows[] = {
        {"", "", ""},
        {"+a", "a", "a"},
        {"+a-a", "", ""},
        {"+a+b+c", "abc", "cba"},
        {"+a+b+c-a", "bc", "cb"},
        {"+a+b+c-b", "ac", "ca"},
        {"+a+b+c-c", "ab", "ba"},
        {"+a+b-a+a", "ba", "ab"},
        {"+a+b-b-a+c", "c", "c"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s = {0};
        lz_chain_init(&s.head);
        play(&s, rows[i].line);
        char chain[8] = "", back[8] = "";
        size_t n = 0;
        for (struct lz_chain *at = s.head.behind; at != &s.head; at = at->behind)
            chain[n++] = LZ_CHAIN_RECORD(at, struct record, here)->name;
        n = 0;
        for (struct lz_chain *at = s.head.before; at != &s.head; at = at->before)
            back[n++] = LZ_CHAIN_RECORD(at, struct record, here)->name;
        assert_string_equal(chain, rows[i].chain);
        assert_string_equal(back, rows[i].back);
        assert_int_equal(lz_chain_is_empty(&s.head), rows[i].chain[0] == '\0');
    }
}

static void what_would_tear_it_aborts(void **state)
{
    (void)state;
    static const struct {
        bool has_begun;
        const char *line;
        int signal;
    } rows[] = {
        {true, "+a+b-a-b", 0},
        {false, "+a", SIGABRT},        // a head of zeroes
        {true, "+a+b-a-a", SIGABRT},   // twice
        {true, "+a+b-a+c-a", SIGABRT}, // and another came since
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct stage s = {0};
            signal(SIGABRT, SIG_DFL);
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(1);
            if (rows[i].has_begun)
                lz_chain_init(&s.head);
            play(&s, rows[i].line);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                         rows[i].signal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_stand_in_the_order_in_which_they_came),
        cmocka_unit_test(what_would_tear_it_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
