#include "cli/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/near.h"
#include "cli/notify.h"
#include "explore/crew.h"
#include "model/traffic/request.h"

#define PAGE ".lorenz/report.html" // of --open, where -o names none
#define TIMEOUT_DEFAULT_NS (INT64_C(300) * 1000000000)

void lz_flags_init(struct lz_flags *flags)
{
    *flags = (struct lz_flags){.seed = 1, .timeout_ns = TIMEOUT_DEFAULT_NS};
}

void lz_flags_finish(struct lz_flags *flags)
{
    lz_select_pairs_free(&flags->sets);
    lz_select_pairs_free(&flags->cases);
    lz_subset_finish(&flags->subset);
    lz_conf_finish(&flags->conf);
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
        flags->jobs = flags->jobs_default > 0 ? flags->jobs_default : lz_crew_processors();
    if (flags->opens && lz_flags_page(flags) == NULL) {
        if (flags->output_count == LZ_FLAGS_OUTPUTS_MAX)
            return lz_fail(err, LZ_EFULL, "--open: -o is given %d times, and none is a page",
                           LZ_FLAGS_OUTPUTS_MAX);
        flags->outputs[flags->output_count++] =
            (struct lz_flags_output){.format = lz_report_format_find("html"), .path = PAGE};
    }
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
        if (flags->seed_given && flags->token.order.kind != LZ_ORDER_FIFO)
            flags->order = flags->token.order;
        flags->swarm = flags->swarm || (flags->seed_given && flags->token.is_swarm);
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

bool lz_flags_open(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->opens = true;
    return true;
}

bool lz_flags_progress(void *into, const char *value, struct lz_err *err)
{
    return lz_progress_take(&((struct lz_flags *)into)->progress, value, err);
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

bool lz_flags_traces(void *into, const char *value, struct lz_err *err)
{
    struct lz_flags *flags = into;
    uint64_t count = 0;
    flags->traces_given = lz_opts_number(value, 0, LZ_REQUEST_FAILED_MAX, &count, err);
    flags->traces = (uint32_t)count;
    return flags->traces_given;
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

bool lz_flags_read_seeds(struct lz_flags_seeds *f, const char *value, struct lz_err *err)
{
    const char *dots = strstr(value, "..");
    if (dots == NULL) {
        f->first = 1;
        return lz_opts_number(value, 1, 1000000000, &f->last, err);
    }
    char first[24];
    size_t len = (size_t)(dots - value);
    if (len == 0 || len >= sizeof(first))
        return lz_fail(err, LZ_EINVAL, "expected N or FIRST..LAST, got \"%s\"", value);
    memcpy(first, value, len);
    first[len] = '\0';
    uint64_t low, high;
    if (!lz_opts_number(first, 0, INT64_MAX, &low, err) ||
        !lz_opts_number(dots + 2, 0, INT64_MAX, &high, err))
        return false;
    if (high < low || high - low >= 1000000000)
        return lz_fail(err, LZ_ERANGE, "%s is no range of at most 1000000000 seeds", value);
    f->first = low;
    f->last = high;
    return true;
}

bool lz_flags_swarm(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->swarm = true;
    return true;
}

bool lz_flags_order(void *into, const char *value, struct lz_err *err)
{
    return lz_order_parse(value, &((struct lz_flags *)into)->order, err);
}

bool lz_flags_notify(void *into, const char *value, struct lz_err *err)
{
    ((struct lz_flags *)into)->notify = value;
    return lz_notify_check(value, err);
}

bool lz_flags_epoch(void *into, const char *value, struct lz_err *err)
{
    uint64_t seconds;
    if (!lz_opts_number(value, 1, INT64_C(9000000000), &seconds, err))
        return false;
    ((struct lz_flags *)into)->epoch_s = (int64_t)seconds;
    return true;
}

const char *lz_flags_page(const struct lz_flags *flags)
{
    for (size_t i = 0; i < flags->output_count; i++) {
        const struct lz_flags_output *output = &flags->outputs[i];
        if (strcmp(output->format->name, "html") == 0 && strcmp(output->path, "-") != 0)
            return output->path;
    }
    return NULL;
}

bool lz_flags_write_outputs(const struct lz_flags *flags, const struct lz_report_options *options,
                            struct lz_report_run *const *runs, size_t count, struct lz_out *out)
{
    bool ok = true;
    struct lz_report_options with_page = *options;
    with_page.page = lz_flags_page(flags);
    for (size_t i = 0; i < flags->output_count; i++) {
        const struct lz_flags_output *output = &flags->outputs[i];
        struct lz_str text;
        struct lz_err err;
        if (strcmp(output->format->name, "lzrun") == 0 && count != 1) {
            fprintf(stderr,
                    "lorenz: %s was not written: lzrun is the file of one run, and there "
                    "are %zu\nhelp: choose one by --case or -k; all are in .lorenz/runs\n",
                    output->path, count);
            ok = false;
            continue;
        }
        lz_str_init(&text);
        output->format->write(&text, &with_page, runs, count);
        if (text.len == 0 && output->format->empty != NULL)
            fprintf(stderr, "lorenz: %s is empty: %s\n", output->path, output->format->empty);
        if (strcmp(output->path, "-") == 0) {
            lz_out_write(out, text.text, text.len);
        } else if (!lz_out_file(output->path, text.text, text.len, &err)) {
            fprintf(stderr, "lorenz: %s\n", err.msg);
            ok = false;
        }
        lz_str_finish(&text);
    }
    return ok;
}

bool lz_flags_keyword(void *into, const char *value, struct lz_err *err)
{
    struct lz_subset *subset = &((struct lz_flags *)into)->subset;
    struct lz_match *names;
    if (!lz_match_parse(value, &names, err))
        return false;
    lz_match_destroy(subset->names);
    subset->names = names;
    return true;
}

bool lz_flags_tag(void *into, const char *value, struct lz_err *err)
{
    struct lz_subset *subset = &((struct lz_flags *)into)->subset;
    if (subset->tag_count == LZ_SUBSET_TAGS_MAX)
        return lz_fail(err, LZ_EFULL, "given more than %d times", LZ_SUBSET_TAGS_MAX);
    if (!lz_match_parse(value, &subset->tags[subset->tag_count], err))
        return false;
    subset->tag_count++;
    return true;
}

bool lz_flags_lf(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->subset.failed = LZ_SUBSET_FAILED_ONLY;
    return true;
}

bool lz_flags_ff(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    struct lz_subset *subset = &((struct lz_flags *)into)->subset;
    if (subset->failed == LZ_SUBSET_ALL)
        subset->failed = LZ_SUBSET_FAILED_FIRST;
    return true;
}

bool lz_flags_shard(void *into, const char *value, struct lz_err *err)
{
    struct lz_subset *subset = &((struct lz_flags *)into)->subset;
    char first[16];
    size_t len = strcspn(value, "/");
    uint64_t shard, shards;
    if (value[len] == '\0' || len >= sizeof(first))
        return lz_fail(err, LZ_EINVAL, "expected I/N such as 2/4, got \"%s\"", value);
    memcpy(first, value, len);
    first[len] = '\0';
    if (!lz_opts_number(value + len + 1, 1, LZ_SUBSET_SHARDS_MAX, &shards, err) ||
        !lz_opts_number(first, 1, shards, &shard, err))
        return false;
    subset->shard = (uint32_t)shard;
    subset->shards = (uint32_t)shards;
    return true;
}

bool lz_flags_watch(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->watch = true;
    return true;
}

bool lz_flags_no_regressions(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct lz_flags *)into)->no_saved = true;
    return true;
}

bool lz_flags_profile(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct lz_flags *)into)->profile = value;
    return true;
}

bool lz_flags_config(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct lz_flags *)into)->config = value;
    return true;
}

// ---------------------------------------------------------------- all of them

static const char *from_env(const char *given, const char *name)
{
    const char *value = given != NULL ? given : getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const struct lz_opt *find(const struct lz_cmd *cmd, const char *name)
{
    for (size_t i = 0; i < cmd->opt_count; i++)
        if (strcmp(cmd->opts[i].name, name) == 0)
            return &cmd->opts[i];
    return NULL;
}

// A setting that no command has is a mistake; that of another command is not meant here.
static bool check_name(const struct lz_conf_item *item, struct lz_err *err)
{
    struct lz_near near = {.word = item->name};
    if (strcmp(item->name, "paths") == 0)
        return true;
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++) {
        if (find(lz_cmd_get(i), item->name) != NULL)
            return true;
        for (size_t k = 0; k < lz_cmd_get(i)->opt_count; k++)
            lz_near_offer(&near, lz_cmd_get(i)->opts[k].name);
    }
    return lz_fail(err, LZ_ENOENT, "%s:%u: no command has an option \"%s\"%s%s", item->path,
                   item->line, item->name, near.name != NULL ? "; a similar one exists: " : "",
                   near.name != NULL ? near.name : "");
}

// Whether a later setting, of the same rank or a higher one, says the same flag is off or on.
static bool is_overruled(const struct lz_conf *conf, size_t at, const char *profile)
{
    const struct lz_conf_item *mine = &conf->items[at];
    for (size_t i = 0; i < conf->count; i++) {
        const struct lz_conf_item *item = &conf->items[i];
        bool is_higher = item->profile != NULL && mine->profile == NULL;
        bool is_equal = (item->profile != NULL) == (mine->profile != NULL);
        bool counts =
            item->profile == NULL || (profile != NULL && strcmp(item->profile, profile) == 0);
        if (counts && strcmp(item->name, mine->name) == 0 && (is_higher || (is_equal && i > at)))
            return true;
    }
    return false;
}

static bool apply_item(const struct lz_cmd *cmd, const struct lz_conf *conf, size_t at,
                       struct lz_flags *flags, struct lz_err *err)
{
    const struct lz_conf_item *item = &conf->items[at];
    const struct lz_opt *opt = find(cmd, item->name);
    if (opt == NULL || strcmp(item->name, "profile") == 0 || strcmp(item->name, "config") == 0)
        return true;
    char place[300];
    snprintf(place, sizeof(place), "%s:%u: %s", item->path, item->line, item->name);
    if (opt->arg != NULL)
        return opt->take(flags, item->value, err) || lz_fail_in(err, "%s", place);
    bool is_on = strcmp(item->value, "true") == 0;
    if (!is_on && strcmp(item->value, "false") != 0)
        return lz_fail(err, LZ_EINVAL, "%s: is true or false, got \"%s\"", place, item->value);
    if (is_overruled(conf, at, flags->profile))
        return true;
    return !is_on || opt->take(flags, NULL, err);
}

// The weakest first: what is set again takes the place of what was.
static bool configure(const struct lz_cmd *cmd, struct lz_flags *flags, struct lz_err *err)
{
    const struct lz_conf *conf = &flags->conf;
    if (!lz_conf_load(flags->config, &flags->conf, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < conf->count; i++)
        ok = check_name(&conf->items[i], err);
    if (ok && flags->profile != NULL && !lz_conf_has_profile(conf, flags->profile))
        ok = lz_fail(err, LZ_ENOENT, "there is no profile \"%s\" in %s", flags->profile,
                     conf->project != NULL ? conf->project
                     : conf->user != NULL  ? conf->user
                                           : "lorenz.conf.lua, which is not here nor above");
    for (int is_profile = 0; is_profile <= 1; is_profile++) {
        for (size_t i = 0; ok && i < conf->count; i++) {
            const struct lz_conf_item *item = &conf->items[i];
            bool counts = is_profile == 0 ? item->profile == NULL
                                          : item->profile != NULL && flags->profile != NULL &&
                                                strcmp(item->profile, flags->profile) == 0;
            ok = !counts || apply_item(cmd, conf, i, flags, err);
        }
    }
    flags->seed_given = false; // by whoever runs it
    flags->jobs_default = flags->jobs;
    flags->jobs = 0;
    return ok;
}

bool lz_flags_read(const struct lz_flags_line *line, struct lz_out *out, void *into,
                   struct lz_opts_rest *rest, enum lz_exit *status)
{
    struct lz_flags *flags = into;
    struct lz_err err;
    const struct lz_cmd *cmd = line->cmd;
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    *rest = (struct lz_opts_rest){0};
    *status = LZ_EXIT_USAGE;
    bool asks_help = lz_opts_peek(line->argc, line->argv, "help") != NULL;
    flags->profile = from_env(lz_opts_peek(line->argc, line->argv, "profile"), "LORENZ_PROFILE");
    flags->config = from_env(lz_opts_peek(line->argc, line->argv, "config"), "LORENZ_CONFIG");
    if (!asks_help && !configure(cmd, flags, &err)) {
        fprintf(stderr, "lorenz %s: %s\n", cmd->name, err.msg);
        return false;
    }
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, line->argc, line->argv, into, rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        *status = LZ_EXIT_OK;
        return false;
    }
    if (outcome != LZ_OPTS_OK)
        return false;
    if (!lz_flags_complete(flags, &err)) {
        fprintf(stderr, "lorenz %s: %s\n", cmd->name, err.msg);
        return false;
    }
    bool is_bare = rest->count == 0;
    for (size_t i = 0; is_bare && i < flags->conf.count; i++) {
        const struct lz_conf_item *item = &flags->conf.items[i];
        if (strcmp(item->name, "paths") != 0 || item->profile != NULL)
            continue;
        rest->items = lz_mem_resize(rest->items, (rest->count + 1) * sizeof(rest->items[0]));
        rest->items[rest->count++] = item->value;
    }
    return true;
}
