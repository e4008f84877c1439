#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "script/docs.h"

// Text for roff: nothing in it is an escape or, at the start of a line, a request.
static void add_text(struct lz_str *roff, const char *text)
{
    bool at_start = true;
    for (const char *c = text; *c != '\0'; c++) {
        if (at_start && (*c == '.' || *c == '\''))
            lz_str_add(roff, "\\&");
        if (*c == '\\')
            lz_str_add(roff, "\\e");
        else if (*c == '-')
            lz_str_add(roff, "\\-");
        else
            lz_str_add_char(roff, *c);
        at_start = *c == '\n';
    }
}

static void add_option(struct lz_str *roff, const struct lz_opt *opt)
{
    struct lz_str names;
    lz_str_init(&names);
    if (opt->letter != '\0')
        lz_str_addf(&names, "-%c, ", opt->letter);
    lz_str_addf(&names, "--%s", opt->name);
    lz_str_add(roff, ".TP\n.BR \"");
    add_text(roff, names.text);
    lz_str_add(roff, "\"");
    if (opt->arg != NULL) {
        lz_str_add(roff, " \" ");
        add_text(roff, opt->arg);
        lz_str_add(roff, "\"");
    }
    lz_str_add(roff, "\n");
    add_text(roff, opt->doc);
    lz_str_add(roff, "\n");
    lz_str_finish(&names);
}

// An empty line in running text is a paragraph.
static void add_about(struct lz_str *roff, const char *text)
{
    const char *gap = strstr(text, "\n\n");
    if (gap == NULL) {
        add_text(roff, text);
        return;
    }
    struct lz_str first;
    lz_str_init(&first);
    lz_str_add_n(&first, text, (size_t)(gap - text));
    add_text(roff, first.text);
    lz_str_finish(&first);
    lz_str_add(roff, "\n.PP\n");
    add_about(roff, gap + 2);
}

static void add_command(struct lz_str *roff, const struct lz_cmd *cmd)
{
    lz_str_add(roff, ".SS \"lorenz ");
    add_text(roff, cmd->name);
    if (cmd->opt_count > 0)
        lz_str_add(roff, " [OPTIONS]");
    lz_str_add(roff, cmd->args[0] != '\0' ? " " : "");
    add_text(roff, cmd->args);
    lz_str_add(roff, "\"\n");
    add_about(roff, cmd->about != NULL ? cmd->about : cmd->summary);
    lz_str_add(roff, "\n");
    for (size_t i = 0; i < cmd->opt_count; i++)
        add_option(roff, &cmd->opts[i]);
}

// lorenz(1), from the table of commands; it bears no date, so that equal sources give
// equal bytes.
static void main_page(struct lz_str *roff)
{
    lz_str_add(roff,
               ".TH LORENZ 1 \"\" \"lorenz " LZ_VERSION "\" \"User commands\"\n"
               ".SH NAME\nlorenz \\- deterministic chaos engineering\n"
               ".SH SYNOPSIS\n.B lorenz\nCOMMAND [OPTIONS] [ARGUMENTS]\n"
               ".SH DESCRIPTION\n"
               "Say what a system is made of, what goes wrong and what must still hold, in a\n"
               "scenario; lorenz runs it in virtual time and judges it. The same seed gives\n"
               "the same run.\n.SH COMMANDS\n");
    for (size_t i = 0; lz_cmd_get(i) != NULL; i++)
        add_command(roff, lz_cmd_get(i));
    lz_str_add(roff, ".SH EXIT STATUS\n"
                     "0 if everything held; lorenz explain exit lists the others.\n"
                     ".SH ENVIRONMENT\n"
                     ".TP\n.B LORENZ_SEED\nstands for \\-\\-seed where that is not given\n"
                     ".TP\n.B LORENZ_JOBS\nstands for \\-j where that is not given\n"
                     ".TP\n.BR NO_COLOR \", \" CLICOLOR_FORCE \", \" FORCE_COLOR \", \" CLICOLOR\n"
                     "whether there is colour, where \\-\\-color is not given\n"
                     ".TP\n.B COLUMNS\nstands for \\-\\-width where that is not given\n"
                     ".SH FILES\n"
                     ".TP\n.I scenarios/*.lua\nthe scenarios that are meant when none is named\n"
                     ".TP\n.I .lorenz/runs/*.lzrun\nrecorded runs, one SQLite file each\n"
                     ".SH SEE ALSO\n.BR lorenz\\-scenario (5)\n");
}

static enum lz_exit print_page(const char *name, struct lz_out *out)
{
    struct lz_str roff;
    lz_str_init(&roff);
    enum lz_exit status = LZ_EXIT_OK;
    if (strcmp(name, "lorenz") == 0) {
        main_page(&roff);
    } else if (strcmp(name, "lorenz-scenario") == 0) {
        struct lz_docs *docs = lz_docs_create();
        lz_str_add(&roff, lz_docs_man(docs));
        lz_docs_destroy(docs);
    } else {
        fprintf(stderr, "lorenz man: there is no page \"%s\"\n", name);
        fprintf(stderr, "help: the pages are lorenz and lorenz-scenario\n");
        status = LZ_EXIT_USAGE;
    }
    lz_out_text(out, roff.text);
    lz_str_finish(&roff);
    return status;
}

static enum lz_exit cmd_man(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {.command = cmd->name};
    struct lz_opts_rest rest;
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, NULL, &rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK) {
        status = print_page(rest.count > 0 ? rest.items[0] : "lorenz", out);
    }
    free(rest.items);
    return status;
}

const struct lz_cmd lz_cmd_man = {
    .name = "man",
    .args = "[PAGE]",
    .summary = "print a page of the manual: lorenz or lorenz-scenario",
    .about = "Print a page of the manual as roff: lorenz (the default) has the commands,\n"
             "lorenz-scenario the language. To read one that is not installed:\n\n"
             "lorenz man lorenz-scenario | man -l -",
    .run = cmd_man,
};
