#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/flags.h"
#include "script/docs.h"

#define WIDTH_MAX 80 // longer lines are harder to read, however wide the terminal is

struct explain {
    struct lz_term_opts term;
    bool names;
};

static bool take_width(void *into, const char *value, struct lz_err *err)
{
    return lz_term_take_width(&((struct explain *)into)->term, value, err);
}

static bool take_names(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct explain *)into)->names = true;
    return true;
}

static const struct lz_opt options[] = {
    {"names", 0, NULL, "list all topics, one a line with what it is", take_names},
    {"width", 0, "N", "columns of the output, at most 80", take_width},
};

// "fault latency" and "exit 3" are asked in words.
static void join(struct lz_str *topic, const struct lz_opts_rest *words)
{
    for (size_t i = 0; i < words->count; i++)
        lz_str_addf(topic, "%s%s", i > 0 ? " " : "", words->items[i]);
}

static enum lz_exit unknown(struct lz_docs *docs, const char *topic)
{
    fprintf(stderr, "lorenz explain: nothing is called \"%s\"\n", topic);
    const char *near = lz_docs_near(docs, topic);
    if (lz_cmd_find(topic) != NULL)
        fprintf(stderr, "help: that is a command: lorenz help %s\n", topic);
    else if (near != NULL)
        fprintf(stderr, "help: a topic with a similar name exists: lorenz explain %s\n", near);
    fprintf(stderr, "help: the topics are listed by: lorenz explain\n");
    return LZ_EXIT_USAGE;
}

static enum lz_exit explain(const struct explain *flags, const struct lz_opts_rest *words,
                            struct lz_out *out)
{
    int width = lz_term_look(&flags->term, STDOUT_FILENO).width;
    width = width < WIDTH_MAX ? width : WIDTH_MAX;
    struct lz_docs *docs = lz_docs_create();
    struct lz_str topic;
    lz_str_init(&topic);
    join(&topic, words);
    const char *text = flags->names     ? lz_docs_names(docs)
                       : topic.len == 0 ? lz_docs_index(docs, width)
                                        : lz_docs_page(docs, topic.text, width);
    enum lz_exit status = LZ_EXIT_OK;
    if (text != NULL)
        lz_out_text(out, text);
    else
        status = unknown(docs, topic.text);
    lz_str_finish(&topic);
    lz_docs_destroy(docs);
    return status;
}

static enum lz_exit cmd_explain(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest words;
    struct explain flags = {0};
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &words);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK) {
        status = explain(&flags, &words, out);
    }
    free(words.items);
    return status;
}

const struct lz_cmd lz_cmd_explain = {
    .name = "explain",
    .args = "[TOPIC]",
    .summary = "show the page of a code, word, field, fault, metric or status",
    .about = "Show the page of a TOPIC: the code of a message (LZ201), a word or field of the\n"
             "language (service, timeout), a fault (fault.latency), a distribution\n"
             "(dist.lognormal), a metric (errors.ratio), units, or exit for the statuses.\n"
             "Without one, list what can be asked.\n\n"
             "Exit status: 0, or 4 if there is no such topic.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_explain,
};
