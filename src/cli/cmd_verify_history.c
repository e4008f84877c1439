#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "check/history/history_read.h"
#include "check/history/verify.h"
#include "cli/cmd.h"
#include "cli/near.h"
#include "report/json.h"

#define FILE_SIZE_MAX ((size_t)1 << 30)

struct flags {
    const struct lz_verify_model *model;
    const char *format;
    const char *of;   /* NULL: all of the file */
    const char *json; /* path; "-": standard output, instead of the text; NULL: none */
    struct lz_verify_opts opts;
};

static bool near_error(struct lz_near *near, const char *what, const char *value,
                       struct lz_err *err)
{
    if (near->name != NULL)
        return lz_fail(err, LZ_EINVAL, "there is no %s \"%s\"; did you mean \"%s\"?", what, value,
                       near->name);
    return lz_fail(err, LZ_EINVAL, "there is no %s \"%s\"", what, value);
}

static bool take_model(void *into, const char *value, struct lz_err *err)
{
    struct flags *f = into;
    f->model = lz_verify_find(value);
    if (f->model != NULL)
        return true;
    struct lz_near near = {.word = value};
    for (size_t i = 0; lz_verify_model(i) != NULL; i++)
        lz_near_offer(&near, lz_verify_model(i)->name);
    return near_error(&near, "model", value, err);
}

static bool take_consistency(void *into, const char *value, struct lz_err *err)
{
    struct flags *f = into;
    struct lz_near near = {.word = value};
    for (size_t i = 0; lz_verify_consistency(i) != NULL; i++) {
        lz_near_offer(&near, lz_verify_consistency(i));
        if (strcmp(lz_verify_consistency(i), value) == 0) {
            f->opts.consistency = value;
            return true;
        }
    }
    return near_error(&near, "level of consistency", value, err);
}

static bool take_format(void *into, const char *value, struct lz_err *err)
{
    struct flags *f = into;
    struct lz_near near = {.word = value};
    for (size_t i = 0; lz_history_read_format(i) != NULL; i++) {
        lz_near_offer(&near, lz_history_read_format(i));
        if (strcmp(lz_history_read_format(i), value) == 0) {
            f->format = value;
            return true;
        }
    }
    return near_error(&near, "history format", value, err);
}

static bool take_initial(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct flags *)into)->opts.initial = value;
    return true;
}

static bool take_of(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct flags *)into)->of = value;
    return true;
}

static bool take_tolerates(void *into, const char *value, struct lz_err *err)
{
    static const char *const words[] = {"duplicate", "reordered", "aborted-read"};
    for (const char *at = value;; at++) {
        size_t length = strcspn(at, ",");
        bool is_known = false;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            is_known =
                is_known || (strlen(words[i]) == length && memcmp(words[i], at, length) == 0);
        if (!is_known)
            return lz_fail(err, LZ_EINVAL,
                           "expected some of duplicate, reordered and aborted-read, with commas "
                           "between, got \"%s\"",
                           value);
        at += length;
        if (*at == '\0')
            break;
    }
    ((struct flags *)into)->opts.tolerates = value;
    return true;
}

static bool take_steps(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, UINT64_MAX / 2, &((struct flags *)into)->opts.steps_max, err);
}

static bool take_total(void *into, const char *value, struct lz_err *err)
{
    struct flags *f = into;
    char *end;
    errno = 0;
    f->opts.total = strtoll(value, &end, 10);
    f->opts.has_total = true;
    if (errno != 0 || *end != '\0' || *value == '\0')
        return lz_fail(err, LZ_EINVAL, "expected a whole number, got \"%s\"", value);
    return true;
}

static bool take_negative(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct flags *)into)->opts.negative = true;
    return true;
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    static const char json[] = "json=";
    if (strncmp(value, json, sizeof(json) - 1) != 0 || value[sizeof(json) - 1] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected json=FILE, got \"%s\"", value);
    ((struct flags *)into)->json = value + sizeof(json) - 1;
    return true;
}

static const struct lz_opt options[] = {
    {"model", 'm', "NAME", "what the history is of; required", take_model},
    {"consistency", 'c', "LEVEL", "of transactions (default strict-serializable)",
     take_consistency},
    {"format", 0, "NAME", "edn, json, jepsen-log or txns; default by content", take_format},
    {"initial", 0, "VALUE", "of registers: a number, a text or nil", take_initial},
    {"total", 0, "N", "of a bank (default what the first read saw)", take_total},
    {"negative-balances", 0, NULL, "a bank's accounts may be below 0", take_negative},
    {"of", 0, "NAME", "of a file with several histories: only this one", take_of},
    {"tolerates", 0, "LIST", "of partitions: duplicate, reordered, aborted-read, with commas",
     take_tolerates},
    {"steps", 0, "N", "budget of one object's search (default 50000000)", take_steps},
    {"output", 'o', "json=FILE", "also write this format; FILE - is standard output", take_output},
};

// Devices and pipes are read too: a history may come from another program.
static bool read_file(const char *path, struct lz_str *text, struct lz_err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (file == NULL)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    char chunk[1 << 16];
    size_t n;
    while (text->len <= FILE_SIZE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        lz_str_add_n(text, chunk, n);
    bool failed = ferror(file) != 0;
    int reason = errno;
    if (file != stdin)
        fclose(file);
    if (failed || text->len > FILE_SIZE_MAX)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path,
                       failed ? strerror(reason) : "larger than 1 GiB");
    return true;
}

static const struct {
    const char *word, *json;
    enum lz_exit code;
} answers[] = {
    [LZ_VERIFY_HOLDS] = {"HOLDS", "holds", LZ_EXIT_OK},
    [LZ_VERIFY_VIOLATED] = {"VIOLATED", "violated", LZ_EXIT_FAILED},
    [LZ_VERIFY_UNKNOWN] = {"UNKNOWN", "unknown", LZ_EXIT_INCONCLUSIVE},
};

static void say(const char *path, const struct flags *f, const struct lz_verify *v,
                struct lz_out *out)
{
    lz_out_textf(out, "%-9s %s  %s\n", answers[v->answer].word, path, f->model->name);
    lz_out_textf(out, "          %s\n", v->facts.text);
    for (uint32_t i = 0; i < v->anomaly_count; i++)
        lz_out_textf(out, "%s%s%s", i == 0 ? "          found " : ", ", v->anomalies[i].name,
                     i + 1 == v->anomaly_count ? "\n" : "");
    const char *line = v->why.text;
    while (*line != '\0') {
        size_t n = strcspn(line, "\n");
        lz_out_textf(out, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void write_json(const char *path, const struct flags *f, const struct lz_verify *v,
                       struct lz_str *out)
{
    lz_str_add(out, out->len > 0 ? ",\n{\"file\":" : "{\"file\":");
    lz_json_string(out, path);
    lz_str_addf(out, ",\"model\":\"%s\",\"answer\":\"%s\",\"anomalies\":[", f->model->name,
                answers[v->answer].json);
    for (uint32_t i = 0; i < v->anomaly_count; i++)
        lz_str_addf(out, "%s{\"name\":\"%s\",\"count\":%u}", i > 0 ? "," : "", v->anomalies[i].name,
                    v->anomalies[i].count);
    lz_str_add(out, "],\"facts\":");
    lz_json_string(out, v->facts.text);
    lz_str_add(out, ",\"why\":");
    lz_json_string(out, v->why.text);
    lz_str_add(out, "}");
}

// One file: read, checked, told. LZ_EXIT_USAGE and LZ_EXIT_SCENARIO were said on stderr.
static enum lz_exit verify(const char *path, const struct flags *f, struct lz_out *out,
                           struct lz_str *json)
{
    struct lz_err err;
    struct lz_str text;
    lz_str_init(&text);
    if (!read_file(path, &text, &err)) {
        fprintf(stderr, "lorenz verify-history: %s\n", err.msg);
        lz_str_finish(&text);
        return LZ_EXIT_USAGE;
    }
    struct lz_history h;
    struct lz_verify v;
    enum lz_exit code = LZ_EXIT_SCENARIO;
    lz_history_init(&h);
    bool ok = lz_history_read_of(&h, f->format, f->of, text.text, text.len, &err) &&
              lz_verify_run(&v, f->model, &h, &f->opts, &err);
    if (!ok) {
        fprintf(stderr, "lorenz verify-history: %s: %s\n", path, err.msg);
    } else {
        if (f->json == NULL || strcmp(f->json, "-") != 0)
            say(path, f, &v, out);
        write_json(path, f, &v, json);
        code = answers[v.answer].code;
        lz_verify_finish(&v);
    }
    lz_history_finish(&h);
    lz_str_finish(&text);
    return code;
}

static bool deliver(const struct flags *f, const struct lz_str *json, struct lz_out *out)
{
    struct lz_str document;
    struct lz_err err;
    bool ok = true;
    lz_str_init(&document);
    lz_str_addf(&document, "{\"schema\":\"lorenz.verify-history/1\",\"histories\":[%s]}\n",
                json->text);
    if (strcmp(f->json, "-") == 0)
        lz_out_text(out, document.text);
    else if (!lz_out_file(f->json, document.text, document.len, &err)) {
        fprintf(stderr, "lorenz verify-history: %s\n", err.msg);
        ok = false;
    }
    lz_str_finish(&document);
    return ok;
}

static enum lz_exit verify_all(const struct flags *f, const struct lz_opts_rest *paths,
                               struct lz_out *out)
{
    if (f->model == NULL || paths->count == 0) {
        fprintf(stderr, "lorenz verify-history: needs %s\n",
                f->model == NULL ? "--model NAME" : "a FILE");
        fprintf(stderr, "help: the models are listed by: lorenz verify-history --help\n");
        return LZ_EXIT_USAGE;
    }
    struct lz_exit_set codes = {0};
    struct lz_str json;
    lz_str_init(&json);
    bool unreadable = false;
    for (size_t i = 0; i < paths->count; i++) {
        enum lz_exit code = verify(paths->items[i], f, out, &json);
        unreadable = unreadable || code == LZ_EXIT_USAGE;
        if (code != LZ_EXIT_USAGE)
            lz_exit_add(&codes, code);
    }
    if (f->json != NULL && !deliver(f, &json, out))
        lz_exit_add(&codes, LZ_EXIT_WRITE);
    lz_str_finish(&json);
    return unreadable ? LZ_EXIT_USAGE : lz_exit_worst(&codes, false);
}

static enum lz_exit cmd_verify_history(const struct lz_cmd *cmd, struct lz_out *out, int argc,
                                       char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest rest;
    struct flags flags = {0};
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &rest);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK) {
        status = verify_all(&flags, &rest, out);
    }
    free(rest.items);
    return status;
}

const struct lz_cmd lz_cmd_verify_history = {
    .name = "verify-history",
    .args = "FILE...",
    .summary = "check a history of operations, from a file",
    .about =
        "Check what clients did and saw against a model of what it may look like. The\n"
        "history comes from anywhere: Jepsen, Knossos, Elle, Porcupine, a test of your own.\n\n"
        "Models: register, cas-register, multi-register, kv, mutex, fifo-queue (these are\n"
        "linearizable); list-append, rw-register (transactions, by level of consistency);\n"
        "bank, counter, long-fork, queue, set, set-full, unique-ids; read-your-writes,\n"
        "monotonic-reads, monotonic-writes, writes-follow-reads, convergence; partitions (a\n"
        "topic's log).\n\n"
        "Levels, weakest first: read-uncommitted, read-committed, read-atomic, causal,\n"
        "repeatable-read, snapshot-isolation, serializable, strong-session-serializable,\n"
        "strict-serializable.\n\n"
        "Formats: edn and json are maps, one for each event, in a list or a line each:\n"
        "    {\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":1}\n"
        "    {\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":1}\n"
        "type is invoke, then ok (it happened), fail (it did not) or info (nobody knows).\n"
        "jepsen-log is Jepsen's console; txns has \"w KEY VALUE\" and \"r KEY VALUE\" lines,\n"
        "\"-----\" after a transaction and \"=====\" after a session.\n\n"
        "Exit status: 0 it holds, 1 it is violated, 2 the file is no such history,\n"
        "3 it does not tell, 4 usage.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_verify_history,
};
