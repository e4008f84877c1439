#include "explore/exit.h"

#include <string.h>

#include "base/check.h"

static const enum lz_exit precedence[LZ_EXIT_KINDS] = {
    LZ_EXIT_BUG,    LZ_EXIT_WRITE,  LZ_EXIT_DIVERGED,     LZ_EXIT_SCENARIO,
    LZ_EXIT_FAILED, LZ_EXIT_BUDGET, LZ_EXIT_INCONCLUSIVE, LZ_EXIT_NOTHING,
};

void lz_exit_add(struct lz_exit_set *set, enum lz_exit code)
{
    LZ_ASSERT(set != NULL);
    if (code == LZ_EXIT_OK)
        return;
    size_t i = 0;
    while (i < LZ_EXIT_KINDS && precedence[i] != code)
        i++;
    LZ_ASSERT(i < LZ_EXIT_KINDS);
    set->has[i] = true;
}

enum lz_exit lz_exit_worst(const struct lz_exit_set *set, bool report_only)
{
    LZ_ASSERT(set != NULL);
    for (size_t i = 0; i < LZ_EXIT_KINDS; i++) {
        enum lz_exit code = precedence[i];
        bool overlooked = code == LZ_EXIT_FAILED || code == LZ_EXIT_INCONCLUSIVE;
        if (set->has[i] && !(report_only && overlooked))
            return code;
    }
    return LZ_EXIT_OK;
}

size_t lz_exit_list(const struct lz_exit_set *set, int codes[LZ_EXIT_KINDS])
{
    LZ_ASSERT(set != NULL);
    size_t n = 0;
    for (size_t i = 0; i < LZ_EXIT_KINDS; i++) {
        if (set->has[i])
            codes[n++] = (int)precedence[i];
    }
    LZ_ASSERT(n <= LZ_EXIT_KINDS);
    return n;
}

enum lz_exit lz_exit_signal(int signal)
{
    LZ_ASSERT(signal > 0 && signal < 128);
    return (enum lz_exit)(LZ_EXIT_SIGNAL + signal);
}

enum lz_exit lz_exit_verdict(const char *verdict)
{
    static const struct {
        const char *verdict;
        enum lz_exit code;
    } table[] = {
        {"pass", LZ_EXIT_OK},        {"xfail", LZ_EXIT_OK},
        {"fail", LZ_EXIT_FAILED},    {"xpass", LZ_EXIT_FAILED},
        {"budget", LZ_EXIT_BUDGET},  {"inconclusive", LZ_EXIT_INCONCLUSIVE},
        {"error", LZ_EXIT_SCENARIO}, {"diverged", LZ_EXIT_DIVERGED},
    };
    LZ_ASSERT(verdict != NULL);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].verdict, verdict) == 0)
            return table[i].code;
    }
    // A word nobody knows must never read as a success.
    return LZ_EXIT_BUG;
}

const char *lz_exit_word(enum lz_exit code)
{
    switch ((int)code) {
    case LZ_EXIT_OK:
        return "pass";
    case LZ_EXIT_FAILED:
        return "fail";
    case LZ_EXIT_SCENARIO:
        return "error";
    case LZ_EXIT_INCONCLUSIVE:
        return "inconclusive";
    case LZ_EXIT_NOTHING:
        return "nothing";
    case LZ_EXIT_DIVERGED:
        return "diverged";
    case LZ_EXIT_BUDGET:
        return "budget";
    default:
        return "broken";
    }
}
