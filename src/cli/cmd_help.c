#include <stdlib.h>
#include <string.h>

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
    lz_out_text(out,
                "\nlorenz help COMMAND tells more about one of them; lorenz explain lists the\n"
                "words of scenarios. To begin: lorenz init, then lorenz run.\n");
}

#define WIDTH 80
#define OPTION_WIDTH 28

// Words in lines of at most WIDTH, all but the first indented; the first begins at `indent`.
static void wrap(struct lz_out *out, const char *text, size_t len, int indent)
{
    int column = indent;
    bool is_first = true;
    for (size_t at = 0; at < len;) {
        size_t word = strcspn(text + at, " \n");
        if (word > len - at)
            word = len - at;
        if (word > 0 && !is_first && column + 1 + (int)word > WIDTH) {
            lz_out_textf(out, "\n%*s", indent, "");
            column = indent;
            is_first = true;
        }
        if (word > 0) {
            lz_out_textf(out, "%s%.*s", is_first ? "" : " ", (int)word, text + at);
            column += (int)word + !is_first;
            is_first = false;
        }
        at += word + 1;
    }
    lz_out_text(out, "\n");
}

// Paragraphs are wrapped; one that is indented is shown as it stands.
static void about(struct lz_out *out, const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
        if (text[0] == ' ')
            lz_out_textf(out, "%.*s\n", (int)len, text);
        else
            wrap(out, text, len, 0);
        if (end != NULL)
            lz_out_text(out, "\n");
        text += end != NULL ? len + 2 : len;
    }
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
    bool is_long = names.len > OPTION_WIDTH; // the doc stands below it then
    lz_out_textf(out, "  %-*s%s%*s", OPTION_WIDTH, names.text, is_long ? "\n" : "",
                 is_long ? OPTION_WIDTH + 4 : 2, "");
    wrap(out, opt->doc, strlen(opt->doc), OPTION_WIDTH + 4);
    lz_str_finish(&names);
}

void lz_cmd_help_page(const struct lz_cmd *cmd, struct lz_out *out)
{
    LZ_ASSERT(cmd != NULL);
    lz_out_textf(out, "usage: lorenz %s%s%s%s\n\n", cmd->name,
                 cmd->opt_count > 0 ? " [OPTIONS]" : "", cmd->args[0] != '\0' ? " " : "",
                 cmd->args);
    about(out, cmd->about != NULL ? cmd->about : cmd->summary);
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
