#include "cli/opts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/near.h"

#define NS_PER_S INT64_C(1000000000)

// One command line being read.
struct reading {
    const struct lz_opts *opts;
    char **argv;
    int argc;
    int at; // the argument being read
    void *into;
    enum lz_opts_outcome outcome;
};

LZ_PRINTF(2, 3)
static void complain(struct reading *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "lorenz %s: ", r->opts->command);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    r->outcome = LZ_OPTS_WRONG;
}

static const struct lz_opt *find_long(const struct lz_opts *opts, const char *name, size_t len)
{
    for (size_t i = 0; i < opts->count; i++) {
        const char *known = opts->items[i].name;
        if (strlen(known) == len && memcmp(known, name, len) == 0)
            return &opts->items[i];
    }
    return NULL;
}

static const struct lz_opt *find_short(const struct lz_opts *opts, char letter)
{
    for (size_t i = 0; i < opts->count; i++) {
        if (opts->items[i].letter == letter)
            return &opts->items[i];
    }
    return NULL;
}

// `shown` is the option as the user wrote it, without a value.
static void store(struct reading *r, const struct lz_opt *opt, const char *shown, const char *value)
{
    LZ_ASSERT((opt->arg != NULL) == (value != NULL));
    struct lz_err err;
    if (!opt->take(r->into, value, &err))
        complain(r, "%s: %s", shown, err.msg);
}

// The argument after this one, for an option that needs a value.
static const char *next_value(struct reading *r, const struct lz_opt *opt, const char *shown)
{
    if (r->at + 1 < r->argc)
        return r->argv[++r->at];
    complain(r, "%s needs a value: %s", shown, opt->arg);
    return NULL;
}

static void unknown_long(struct reading *r, const char *shown)
{
    complain(r, "there is no option %s", shown);
    struct lz_near near = {.word = shown + 2};
    for (size_t i = 0; i < r->opts->count; i++)
        lz_near_offer(&near, r->opts->items[i].name);
    lz_near_offer(&near, "help");
    if (near.name != NULL)
        fprintf(stderr, "help: an option with a similar name exists: --%s\n", near.name);
}

static void read_long(struct reading *r, const char *arg)
{
    size_t len = strcspn(arg + 2, "=");
    char shown[64];
    snprintf(shown, sizeof(shown), "--%.*s", (int)len, arg + 2);
    const struct lz_opt *opt = find_long(r->opts, arg + 2, len);
    const char *value = arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
    if (opt == NULL && strcmp(arg, "--help") == 0)
        r->outcome = LZ_OPTS_HELP;
    else if (opt == NULL)
        unknown_long(r, shown);
    else if (opt->arg == NULL && value != NULL)
        complain(r, "%s takes no value, got \"%s\"", shown, value);
    else if (opt->arg == NULL)
        store(r, opt, shown, NULL);
    else if (value != NULL || (value = next_value(r, opt, shown)) != NULL)
        store(r, opt, shown, value);
}

// Letters of a bundle are flags until one takes the rest as its value.
static void read_short(struct reading *r, const char *arg)
{
    for (const char *c = arg + 1; *c != '\0'; c++) {
        const char shown[] = {'-', *c, '\0'};
        const struct lz_opt *opt = find_short(r->opts, *c);
        if (opt == NULL && *c == 'h') {
            r->outcome = LZ_OPTS_HELP;
            continue;
        }
        if (opt == NULL) {
            complain(r, "there is no option %s", shown);
            return;
        }
        if (opt->arg == NULL) {
            store(r, opt, shown, NULL);
            continue;
        }
        const char *value = c[1] != '\0' ? c + 1 : next_value(r, opt, shown);
        if (value != NULL)
            store(r, opt, shown, value);
        return;
    }
}

enum lz_opts_outcome lz_opts_parse(const struct lz_opts *opts, int argc, char **argv, void *into,
                                   struct lz_opts_rest *rest)
{
    LZ_ASSERT(argc >= 1);
    struct reading r = {.opts = opts, .argv = argv, .argc = argc, .into = into};
    *rest = (struct lz_opts_rest){
        .items = lz_mem_alloc((size_t)argc * sizeof(rest->items[0])),
    };
    bool options = true;
    for (r.at = 1; r.at < argc && r.outcome != LZ_OPTS_HELP; r.at++) {
        const char *arg = argv[r.at];
        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && strncmp(arg, "--", 2) == 0)
            read_long(&r, arg);
        else if (options && arg[0] == '-' && arg[1] != '\0')
            read_short(&r, arg);
        else
            rest->items[rest->count++] = arg;
    }
    LZ_ASSERT(rest->count < (size_t)argc);
    if (r.outcome == LZ_OPTS_WRONG)
        fprintf(stderr, "help: the options are listed by: lorenz help %s\n", opts->command);
    return r.outcome;
}

const char *lz_opts_peek(int argc, char **argv, const char *name)
{
    const char *value = NULL;
    size_t len = strlen(name);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, len) != 0)
            continue;
        if (argv[i][2 + len] == '=')
            value = argv[i] + 2 + len + 1;
        else if (argv[i][2 + len] == '\0')
            value = i + 1 < argc ? argv[i + 1] : "";
    }
    return value;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Decimal digits at *text, at most UINT64_MAX; false if there are none or too many.
static bool read_digits(const char **text, uint64_t *out)
{
    const char *c = *text;
    uint64_t n = 0;
    if (!is_digit(*c))
        return false;
    for (; is_digit(*c); c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *text = c;
    *out = n;
    return true;
}

bool lz_opts_number(const char *text, uint64_t least, uint64_t most, uint64_t *out,
                    struct lz_err *err)
{
    LZ_ASSERT(text != NULL && least <= most);
    const char *end = text;
    uint64_t n = 0;
    bool is_number = is_digit(*text);
    bool fits = read_digits(&end, &n);
    if (!is_number || (fits && *end != '\0'))
        return lz_fail(err, LZ_EINVAL, "expected a whole number, got \"%s\"", text);
    if (!fits || n < least || n > most)
        return lz_fail(err, LZ_ERANGE, "must be %" PRIu64 " to %" PRIu64 ", got %s", least, most,
                       text);
    *out = n;
    return true;
}

static bool read_unit(const char **text, int64_t *unit_ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ms", NS_PER_S / 1000}, // before "m", which begins it
        {"h", 3600 * NS_PER_S},
        {"m", 60 * NS_PER_S},
        {"s", NS_PER_S},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t len = strlen(units[i].name);
        if (strncmp(*text, units[i].name, len) == 0) {
            *text += len;
            *unit_ns = units[i].ns;
            return true;
        }
    }
    return false;
}

bool lz_opts_duration(const char *text, int64_t *out_ns, struct lz_err *err)
{
    const int64_t most = INT64_C(3600000) * NS_PER_S;
    const char *at = text;
    int64_t sum = 0;
    do {
        uint64_t n;
        int64_t unit;
        if (!read_digits(&at, &n) || !read_unit(&at, &unit))
            return lz_fail(err, LZ_EINVAL, "expected a duration such as 30s or 1m30s, got \"%s\"",
                           text);
        if (n > (uint64_t)((most - sum) / unit))
            return lz_fail(err, LZ_ERANGE, "must be at most 1000h, got %s", text);
        sum += (int64_t)n * unit;
    } while (*at != '\0');
    if (sum == 0)
        return lz_fail(err, LZ_ERANGE, "must be more than nothing, got %s", text);
    *out_ns = sum;
    return true;
}

bool lz_opts_share(const char *value, double *out, struct lz_err *err)
{
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    if (end != value && strcmp(end, "%") == 0) {
        number /= 100.0;
        end++;
    }
    if (end == value || *end != '\0' || errno != 0 || !(number > 0.0 && number < 1.0))
        return lz_fail(err, LZ_ERANGE, "expected a share between 0%% and 100%%, got \"%s\"", value);
    *out = number;
    return true;
}
