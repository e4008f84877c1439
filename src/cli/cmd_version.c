#include <lua.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "cli/cmd.h"
#include "report/page.h"

#ifndef LZ_VERSION
#error "the build defines LZ_VERSION"
#endif

struct flags {
    bool json;
};

static bool take_json(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct flags *)into)->json = true;
    return true;
}

static const struct lz_opt options[] = {
    {"json", 0, NULL, "as one JSON object", take_json},
};

static void compiler(char *out, size_t size)
{
#if defined(__clang__)
    snprintf(out, size, "clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    snprintf(out, size, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

static void print_json(struct lz_out *out)
{
    char built_by[64];
    bool has_uplot = lz_uplot_version[0] != '\0';
    compiler(built_by, sizeof(built_by));
    lz_out_textf(out,
                 "{\"version\":\"%s\",\"lua\":\"%s\",\"sqlite\":\"%s\",\"compiler\":\"%s\","
                 "\"uplot\":%s%s%s}\n",
                 LZ_VERSION, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE,
                 sqlite3_libversion(), built_by, has_uplot ? "\"" : "",
                 has_uplot ? lz_uplot_version : "null", has_uplot ? "\"" : "");
}

static enum lz_exit cmd_version(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    struct flags flags = {0};
    struct lz_opts_rest rest;
    const struct lz_opts opts = {cmd->name, options, sizeof(options) / sizeof(options[0])};
    // `lorenz --version` comes here too, as an argument that is no option of ours.
    if (argc >= 1 && argv[0][0] == '-')
        argc = 1;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &rest);
    free(rest.items);
    LZ_ASSERT(LZ_IMPLIES(argc == 1, outcome == LZ_OPTS_OK));
    if (outcome == LZ_OPTS_WRONG)
        return LZ_EXIT_USAGE;
    if (outcome == LZ_OPTS_HELP)
        lz_cmd_help_page(cmd, out);
    else if (flags.json)
        print_json(out);
    else
        lz_out_textf(out, "lorenz %s\n", LZ_VERSION);
    return LZ_EXIT_OK;
}

const struct lz_cmd lz_cmd_version = {
    .name = "version",
    .args = "",
    .summary = "say which lorenz this is, and with --json what it is built on",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_version,
};
