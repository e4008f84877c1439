#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/term.h"
#include "explore/token.h"
#include "live/action.h"
#include "live/net/nfqueue.h"
#include "live/net/shaper.h"
#include "live/net/spaces.h"
#include "script/probe.h"

#define SAW_SIZE 512
#define NAME_WIDTH 25

// Two lines for each: what it is and how it is closed; what was seen.
static size_t print(const struct lz_probe *probe, struct lz_out *out)
{
    char saw[SAW_SIZE] = "";
    bool is_closed = probe->ask(saw, sizeof(saw));
    lz_out_textf(out, "%-6s%-*s%s\n", is_closed ? "ok" : "OPEN", NAME_WIDTH, probe->source,
                 probe->how);
    lz_out_textf(out, "%-6s%-*s%s\n", "", NAME_WIDTH, "", saw);
    return !is_closed;
}

static enum lz_exit examine(struct lz_out *out)
{
    size_t count = 0, open = 0;
    lz_out_textf(
        out, "What could make two runs of one seed differ (lorenz %s, engine %012" PRIx64 ")\n\n",
        LZ_VERSION, lz_token_engine());
    for (const struct lz_probe *p; (p = lz_probe_get(count)) != NULL; count++)
        open += print(p, out);
    lz_out_textf(out, "\n%zu of %zu are closed\n", count - open, count);
    if (open > 0)
        lz_out_textf(out, "help: compare runs by `lorenz run --shake`, and report what is open\n");
    else
        lz_out_textf(out, "help: what nobody thought of is looked for by `lorenz run --shake`\n");
    return open > 0 ? LZ_EXIT_DIVERGED : LZ_EXIT_OK;
}

// Two lines for each kind of fault: how it is done; what it needs, or what was seen.
static void print_action(const struct lz_action *a, struct lz_out *out, size_t *works)
{
    struct lz_str saw;
    lz_str_init(&saw);
    bool ok = a->probe == NULL || a->probe(&saw);
    *works += ok;
    lz_out_textf(out, "%-6s%-*s%s\n", ok ? "ok" : "no", NAME_WIDTH, a->fault, a->how);
    if (a->needs != NULL || saw.len > 0)
        lz_out_textf(out, "%-6s%-*s%s%s%s%s\n", "", NAME_WIDTH, "",
                     a->needs != NULL ? "needs " : "", a->needs != NULL ? a->needs : "",
                     saw.len > 0 && a->needs != NULL ? ": " : "", saw.text);
    lz_str_finish(&saw);
}

// What namespaces need; not faults, but what some faults stand on.
static void print_grounds(struct lz_out *out)
{
    static const struct {
        const char *name, *how, *needs;
        bool (*probe)(struct lz_str *saw);
    } rows[] = {
        {"namespaces", "network = \"namespaces\": a network of its own for each process",
         "root, or user namespaces that are open to this user", lz_spaces_probe},
        {"nfqueue", "packets between namespaces are delayed, lost, doubled, ...",
         "nf_tables with its queue, or with xtables' NFQUEUE", lz_nfqueue_probe},
        {"netem", "the kernel delays, loses, doubles, ... packets itself: by = \"tc\"",
         "sch_netem, sch_htb and cls_u32 of the kernel", lz_shaper_probe_netem},
        {"tbf", "the kernel limits bandwidth itself: by = \"tc\"",
         "sch_tbf, sch_htb and cls_u32 of the kernel", lz_shaper_probe_tbf},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_str saw;
        lz_str_init(&saw);
        bool ok = rows[i].probe(&saw);
        lz_out_textf(out, "%-6s%-*s%s\n", ok ? "ok" : "no", NAME_WIDTH, rows[i].name, rows[i].how);
        lz_out_textf(out, "%-6s%-*sneeds %s: %s\n", "", NAME_WIDTH, "", rows[i].needs, saw.text);
        lz_str_finish(&saw);
    }
}

static enum lz_exit examine_live(struct lz_out *out)
{
    size_t count = lz_action_count(), works = 0;
    lz_out_textf(out, "What faults of a live run work on this machine, as this user\n\n");
    for (size_t i = 0; i < count; i++)
        print_action(lz_action_get(i), out, &works);
    lz_out_textf(out, "\n%zu of %zu work\n\nWhat they stand on\n\n", works, count);
    print_grounds(out);
    return LZ_EXIT_OK;
}

static bool take_live(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    *(bool *)into = true;
    return true;
}

static const struct lz_opt options[] = {
    {"live", 0, NULL, "what faults of a live run work here, and what each needs", take_live},
};

static enum lz_exit cmd_doctor(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest rest;
    bool is_live = false;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &is_live, &rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && rest.count > 0) {
        fprintf(stderr, "lorenz doctor: takes no arguments, got \"%s\"\n", rest.items[0]);
    } else if (outcome == LZ_OPTS_OK) {
        status = is_live ? examine_live(out) : examine(out);
    }
    free(rest.items);
    return status;
}

const struct lz_cmd lz_cmd_doctor = {
    .name = "doctor",
    .args = "",
    .summary = "ask this machine what could make two runs differ",
    .about = "Ask this machine about every known source of chance, and say how it is closed.\n\n"
             "Exit status: 0 all are closed, 4 usage, 6 one is open.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_doctor,
};
