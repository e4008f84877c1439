#include "cli/flags.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/str.h"
#include "explore/crew.h"

#define TIMEOUT_DEFAULT_NS (INT64_C(300) * 1000000000)

void lz_flags_init(struct lz_flags *flags)
{
    *flags = (struct lz_flags){.seed = 1, .timeout_ns = TIMEOUT_DEFAULT_NS};
}

void lz_flags_finish(struct lz_flags *flags)
{
    lz_select_pairs_free(&flags->sets);
    lz_select_pairs_free(&flags->cases);
}

bool lz_flags_complete(struct lz_flags *flags, struct lz_err *err)
{
    const char *seed = getenv("LORENZ_SEED");
    const char *jobs = getenv("LORENZ_JOBS");
    if (!flags->seed_given && seed != NULL && seed[0] != '\0' && !lz_flags_seed(flags, seed, err))
        return lz_fail_in(err, "LORENZ_SEED");
    if (flags->jobs == 0 && jobs != NULL && jobs[0] != '\0' && !lz_flags_jobs(flags, jobs, err))
        return lz_fail_in(err, "LORENZ_JOBS");
    if (flags->jobs == 0)
        flags->jobs = lz_crew_processors();
    size_t to_stdout = 0;
    for (size_t i = 0; i < flags->output_count; i++)
        to_stdout += strcmp(flags->outputs[i].path, "-") == 0;
    if (to_stdout > 1)
        return lz_fail(err, LZ_EINVAL, "-o: only one format can go to standard output");
    LZ_ASSERT(flags->jobs >= 1);
    return true;
}

// A seed that people can read out to each other: it is printed first and last.
static bool random_seed(uint64_t *seed, struct lz_err *err)
{
    uint32_t bits;
    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return lz_fail(err, LZ_EIO, "the system has no random numbers to give");
    *seed = bits;
    return true;
}

bool lz_flags_seed(void *into, const char *value, struct lz_err *err)
{
    struct lz_flags *flags = into;
    flags->has_token = lz_token_is_meant(value);
    if (flags->has_token) {
        flags->seed_given = lz_token_read(value, &flags->token, err);
        if (flags->seed_given)
            flags->seed = flags->token.seed;
        return flags->seed_given;
    }
    bool ok = strcmp(value, "random") == 0
                  ? random_seed(&flags->seed, err)
                  : lz_opts_number(value, 0, UINT64_MAX, &flags->seed, err);
    flags->seed_given = ok;
    return ok;
}

bool lz_flags_set(void *into, const char *value, struct lz_err *err)
{
    return lz_select_pairs_add(&((struct lz_flags *)into)->sets, value, false, err);
}

bool lz_flags_case(void *into, const char *value, struct lz_err *err)
{
    return lz_select_pairs_add(&((struct lz_flags *)into)->cases, value, true, err);
}

static bool unknown_format(const char *value, size_t len, struct lz_err *err)
{
    struct lz_str known;
    lz_str_init(&known);
    for (size_t i = 0; i < lz_report_format_count(); i++)
        lz_str_addf(&known, "%s%s", i > 0 ? ", " : "", lz_report_format_get(i)->name);
    lz_fail(err, LZ_ENOENT, "there is no format \"%.*s\"; there is: %s", (int)len, value,
            known.text);
    lz_str_finish(&known);
    return false;
}

bool lz_flags_output(void *into, const char *value, struct lz_err *err)
{
    struct lz_flags *flags = into;
    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value || equals[1] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected FORMAT=FILE, got \"%s\"", value);
    char name[32];
    size_t len = (size_t)(equals - value);
    if (len >= sizeof(name))
        return unknown_format(value, len, err);
    memcpy(name, value, len);
    name[len] = '\0';
    const struct lz_report_format *format = lz_report_format_find(name);
    if (format == NULL)
        return unknown_format(value, len, err);
    if (flags->output_count == LZ_FLAGS_OUTPUTS_MAX)
        return lz_fail(err, LZ_EFULL, "given more than %d times", LZ_FLAGS_OUTPUTS_MAX);
    flags->outputs[flags->output_count++] =
        (struct lz_flags_output){.format = format, .path = equals + 1};
    return true;
}

bool lz_flags_color(void *into, const char *value, struct lz_err *err)
{
    return lz_term_take_colour(&((struct lz_flags *)into)->term, value, err);
}

bool lz_flags_ascii(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->term.ascii = true;
    return true;
}

bool lz_flags_width(void *into, const char *value, struct lz_err *err)
{
    return lz_term_take_width(&((struct lz_flags *)into)->term, value, err);
}

bool lz_flags_quiet(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->quiet = true;
    return true;
}

bool lz_flags_verbose(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->verbose++;
    return true;
}

bool lz_flags_jobs(void *into, const char *value, struct lz_err *err)
{
    struct lz_flags *flags = into;
    uint64_t jobs = lz_crew_processors();
    if (strcmp(value, "auto") != 0 && !lz_opts_number(value, 1, LZ_CREW_WORKERS_MAX, &jobs, err))
        return false;
    flags->jobs = (unsigned)jobs;
    return true;
}

bool lz_flags_timeout(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_duration(value, &((struct lz_flags *)into)->timeout_ns, err);
}

bool lz_flags_events(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, UINT64_MAX, &((struct lz_flags *)into)->events_max, err);
}

bool lz_flags_keep(void *into, const char *value, struct lz_err *err)
{
    static const char *const words[] = {"all", "failed", "none"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(words[i], value) == 0) {
            ((struct lz_flags *)into)->keep = (enum lz_flags_keep)i;
            return true;
        }
    }
    return lz_fail(err, LZ_EINVAL, "expected all, failed or none, got \"%s\"", value);
}

bool lz_flags_report_only(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->report_only = true;
    return true;
}

// A shaken run finds all that a plain one does.
bool lz_flags_verify(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    struct lz_flags *flags = into;
    if (flags->twin == LZ_TWIN_NONE)
        flags->twin = LZ_TWIN_PLAIN;
    return true;
}

bool lz_flags_shake(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->twin = LZ_TWIN_SHAKEN;
    return true;
}

bool lz_flags_exitfirst(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->fail_max = 1;
    return true;
}

bool lz_flags_maxfail(void *into, const char *value, struct lz_err *err)
{
    uint64_t max;
    if (!lz_opts_number(value, 1, 1000000, &max, err))
        return false;
    ((struct lz_flags *)into)->fail_max = (size_t)max;
    return true;
}
