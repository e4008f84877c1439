#include <stdlib.h>

#include "base/check.h"
#include "base/str.h"
#include "cli/cmd.h"

static void overview(struct lz_out *out)
{
    lz_out_text(out, "Deterministic chaos engineering: say what a system is made of, what goes\n"
                     "wrong and what must still hold; the same seed gives the same run.\n\n"
                     "usage: lorenz COMMAND [OPTIONS] [ARGUMENTS]\n\n");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        lz_out_textf(out, "  %-11s  %s\n", lz_cmd_get(i)->name, lz_cmd_get(i)->summary);
    lz_out_text(out, "\nlorenz help COMMAND tells more about one of them.\n");
}

static void option_line(const struct lz_opt *opt, struct lz_out *out)
{
    struct lz_str names;
    lz_str_init(&names);
    if (opt->letter != '\0')
        lz_str_addf(&names, "-%c, --%s", opt->letter, opt->name);
    else
        lz_str_addf(&names, "    --%s", opt->name);
    if (opt->arg != NULL)
        lz_str_addf(&names, " %s", opt->arg);
    lz_out_textf(out, "  %-28s  %s\n", names.text, opt->doc);
    lz_str_finish(&names);
}

void lz_cmd_help_page(const struct lz_cmd *cmd, struct lz_out *out)
{
    LZ_ASSERT(cmd != NULL);
    lz_out_textf(out, "usage: lorenz %s%s%s%s\n\n", cmd->name,
                 cmd->opt_count > 0 ? " [OPTIONS]" : "", cmd->args[0] != '\0' ? " " : "",
                 cmd->args);
    lz_out_text(out, cmd->about != NULL ? cmd->about : cmd->summary);
    lz_out_text(out, "\n");
    for (size_t i = 0; i < cmd->opt_count; i++) {
        if (i == 0)
            lz_out_text(out, "\n");
        option_line(&cmd->opts[i], out);
    }
}

static enum lz_exit cmd_help(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {.command = cmd->name};
    struct lz_opts_rest rest;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, NULL, &rest);
    const char *name = rest.count > 0 ? rest.items[0] : NULL;
    free(rest.items);
    if (outcome == LZ_OPTS_WRONG)
        return LZ_EXIT_USAGE;
    if (name == NULL || outcome == LZ_OPTS_HELP) {
        overview(out);
        return LZ_EXIT_OK;
    }
    const struct lz_cmd *topic = lz_cmd_find(name);
    if (topic == NULL)
        return lz_cmd_unknown(name);
    lz_cmd_help_page(topic, out);
    return LZ_EXIT_OK;
}

const struct lz_cmd lz_cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .summary = "say what the commands and their options are",
    .run = cmd_help,
};
