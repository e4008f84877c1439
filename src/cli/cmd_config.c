/* cmd_config.c — `lorenz config`: what options are here, and who says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/conf.h"
#include "cli/flags.h"

struct config_flags {
    struct lz_flags common; // of it only profile and config
    bool explain;
};

static bool take_explain(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct config_flags *)into)->explain = true;
    return true;
}

static const struct lz_opt options[] = {
    {"explain", 0, NULL, "also where each value comes from, and what is built in", take_explain},
    {"profile", 0, "NAME", "the configuration's settings of this name", lz_flags_profile},
    {"config", 0, "FILE", "the configuration (default lorenz.conf.lua, here or above)",
     lz_flags_config},
};

// Environment variables that stand for an option.
static const char *variable_of(const char *name)
{
    static const char *const pairs[][2] = {
        {"seed", "LORENZ_SEED"},
        {"jobs", "LORENZ_JOBS"},
        {"profile", "LORENZ_PROFILE"},
        {"config", "LORENZ_CONFIG"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i][0], name) == 0)
            return pairs[i][1];
    return NULL;
}

// What a doc says in "(default ...)"; false if it says nothing.
static bool built_in(const struct lz_opt *opt, struct lz_str *out)
{
    const char *at = strstr(opt->doc, "(default ");
    const char *end = at != NULL ? strchr(at, ')') : NULL;
    if (end == NULL)
        return false;
    at += strlen("(default ");
    lz_str_add_n(out, at, (size_t)(end - at));
    return true;
}

// The settings of this name that count: those of the strongest rank that has one, the last one of
// an option that has a single value. Returns how many were put into `value`.
static size_t from_files(const struct lz_conf *conf, const char *name, const char *profile,
                         struct lz_str *value, struct lz_str *source)
{
    size_t found = 0;
    const struct lz_conf_item *last = NULL;
    for (int is_profile = 1; is_profile >= 0 && found == 0; is_profile--) {
        for (size_t i = 0; i < conf->count; i++) {
            const struct lz_conf_item *item = &conf->items[i];
            bool counts = is_profile == 0 ? item->profile == NULL
                                          : item->profile != NULL && profile != NULL &&
                                                strcmp(item->profile, profile) == 0;
            if (!counts || strcmp(item->name, name) != 0)
                continue;
            bool is_list = found > 0 && last->path == item->path && last->line == item->line;
            if (!is_list)
                lz_str_clear(value);
            lz_str_addf(value, "%s%s", is_list ? ", " : "", item->value);
            last = item;
            lz_str_clear(source);
            lz_str_addf(source, "%s:%u%s%s", item->path, item->line, is_profile ? ", profile " : "",
                        is_profile ? profile : "");
            found++;
        }
    }
    return found;
}

static void write_option(const struct config_flags *f, const struct lz_opt *opt, struct lz_str *out)
{
    struct lz_str value, source;
    lz_str_init(&value);
    lz_str_init(&source);
    const char *variable = variable_of(opt->name);
    const char *set = variable != NULL ? getenv(variable) : NULL;
    bool is_said = true;
    if (set != NULL && set[0] != '\0') {
        lz_str_add(&value, set);
        lz_str_add(&source, variable);
    } else if (from_files(&f->common.conf, opt->name, f->common.profile, &value, &source) == 0) {
        is_said = f->explain && built_in(opt, &value);
        lz_str_add(&source, "built in");
    }
    if (is_said) {
        size_t from = out->len;
        lz_str_addf(out, "%-14s  %s", opt->name, value.text);
        size_t width = lz_str_width(out->text + from);
        if (f->explain)
            lz_str_add_repeat(out, " ", width < 38 ? 38 - width : 2);
        lz_str_addf(out, "%s\n", f->explain ? source.text : "");
    }
    lz_str_finish(&value);
    lz_str_finish(&source);
}

static bool is_first(size_t command, const struct lz_opt *opt)
{
    for (size_t i = 0; i < command; i++)
        for (size_t k = 0; k < lz_cmd_get(i)->opt_count; k++)
            if (strcmp(lz_cmd_get(i)->opts[k].name, opt->name) == 0)
                return false;
    return true;
}

static bool is_setting(const struct lz_opt *opt)
{
    return strcmp(opt->name, "config") != 0 && strcmp(opt->name, "profile") != 0;
}

// Options that make sense as a setting, each once, in the order of the commands' tables.
static void write_all(const struct config_flags *f, struct lz_str *out)
{
    static const struct lz_opt paths = {.name = "paths", .doc = "(default scenarios)"};
    write_option(f, &paths, out);
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        for (size_t k = 0; k < lz_cmd_get(i)->opt_count; k++)
            if (is_first(i, &lz_cmd_get(i)->opts[k]) && is_setting(&lz_cmd_get(i)->opts[k]))
                write_option(f, &lz_cmd_get(i)->opts[k], out);
}

static enum lz_exit show(const struct config_flags *f, const struct lz_opts_rest *rest,
                         struct lz_out *out)
{
    const struct lz_conf *conf = &f->common.conf;
    if (rest->count > 0) {
        fprintf(stderr, "lorenz config: takes no arguments, got \"%s\"\n", rest->items[0]);
        return LZ_EXIT_USAGE;
    }
    struct lz_str text;
    lz_str_init(&text);
    if (f->explain) {
        lz_str_addf(&text, "project  %s\n", conf->project != NULL ? conf->project : "none");
        lz_str_addf(&text, "user     %s\n", conf->user != NULL ? conf->user : "none");
        lz_str_addf(&text, "profile  %s\n\n",
                    f->common.profile != NULL ? f->common.profile : "none");
    }
    write_all(f, &text);
    lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
    return LZ_EXIT_OK;
}

static enum lz_exit cmd_config(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct config_flags flags = {0};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &rest, &status))
        status = show(&flags, &rest, out);
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_config = {
    .name = "config",
    .args = "",
    .summary = "show what options are when they are not given, and who says so",
    .about =
        "Show what options are when they are not given. A configuration is a table of literals\n"
        "in lorenz.conf.lua, in this folder or above it:\n\n"
        "    return {\n"
        "      jobs = 4,\n"
        "      profile = {\n"
        "        ci = { seeds = 200, keep = \"failed\", output = { \"junit=results.xml\" } },\n"
        "      },\n"
        "    }\n\n"
        "A name is that of an option, with _ for -; each command takes those that it has. What\n"
        "is true or false switches an option without a value; `paths` is what is run when no\n"
        "PATH is named. The command line comes before the environment (LORENZ_SEED,\n"
        "LORENZ_JOBS, LORENZ_PROFILE, LORENZ_CONFIG), that before the profile, the project's\n"
        "file before the user's ($XDG_CONFIG_HOME/lorenz/lorenz.conf.lua), and all before what\n"
        "is built in.\n\n"
        "Exit status: 0, 4 if a file makes no sense.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_config,
};
