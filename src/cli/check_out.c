#include "cli/check_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "report/json.h"

#define ANNOTATIONS_MAX 9 // the tenth says how many more there are

static const char *level_of(const struct lz_finding *f)
{
    return f->is_warning ? "warning" : "error";
}

static void add_text(struct lz_str *out, const char *key, const char *text)
{
    lz_str_addf(out, ",\"%s\":", key);
    if (text != NULL)
        lz_json_string(out, text);
    else
        lz_str_add(out, "null");
}

static void add_number(struct lz_str *out, const char *key, uint32_t n)
{
    if (n > 0)
        lz_str_addf(out, ",\"%s\":%" PRIu32, key, n);
    else
        lz_str_addf(out, ",\"%s\":null", key);
}

static uint32_t end_col(const struct lz_finding *f)
{
    return f->col > 0 ? f->col + f->len : 0;
}

// ---------------------------------------------------------------- json

static void json_finding(struct lz_str *out, const struct lz_finding *f)
{
    lz_str_addf(out, "{\"code\":\"%s\",\"severity\":\"%s\"", f->code, level_of(f));
    add_text(out, "message", f->text);
    add_text(out, "help", f->help);
    add_text(out, "file", f->path);
    add_number(out, "line", f->line);
    add_number(out, "column", f->col);
    add_number(out, "end_column", end_col(f));
    lz_str_add(out, ",\"fix\":");
    if (f->fix.with == NULL) {
        lz_str_add(out, "null}");
        return;
    }
    lz_str_addf(out, "{\"line\":%" PRIu32 ",\"byte\":%" PRIu32 ",\"length\":%" PRIu32, f->fix.line,
                f->fix.col, f->fix.len);
    add_text(out, "with", f->fix.with);
    lz_str_add(out, "}}");
}

static void json_file(struct lz_str *out, const struct lz_check_file *file)
{
    lz_str_add(out, "\n{\"file\":");
    lz_json_string(out, file->path);
    add_text(out, "scenario", file->vet.scenario);
    lz_str_addf(out, ",\"ok\":%s,\"cases\":%zu", file->code == LZ_EXIT_OK ? "true" : "false",
                file->vet.case_count);
    add_text(out, "problem", file->problem);
    lz_str_add(out, ",\"findings\":[");
    for (size_t i = 0; i < file->vet.count; i++) {
        lz_str_add(out, i > 0 ? ",\n" : "\n");
        json_finding(out, &file->vet.items[i]);
    }
    lz_str_add(out, "]}");
}

void lz_check_out_json(struct lz_str *out, const struct lz_check_result *result)
{
    int codes[LZ_EXIT_KINDS];
    size_t count = lz_exit_list(&result->codes, codes);
    lz_str_addf(out, "{\"schema\":\"lorenz.check/1\",\"version\":\"%s\",\"files\":[", LZ_VERSION);
    for (size_t i = 0; i < result->count; i++) {
        if (i > 0)
            lz_str_add_char(out, ',');
        json_file(out, &result->files[i]);
    }
    lz_str_addf(out, "],\n\"errors\":%zu,\"warnings\":%zu,\"exit_code\":%d,\"exit_codes\":[",
                result->errors, result->warnings, (int)lz_exit_worst(&result->codes, false));
    for (size_t i = 0; i < count; i++)
        lz_str_addf(out, "%s%d", i > 0 ? "," : "", codes[i]);
    lz_str_add(out, "]}\n");
}

// ---------------------------------------------------------------- sarif

// A relative reference: bytes that a URI may not have are written as %XX.
static void add_uri(struct lz_str *out, const char *path)
{
    struct lz_str uri;
    lz_str_init(&uri);
    if (path[0] == '/')
        lz_str_add(&uri, "file://");
    else if (strncmp(path, "./", 2) == 0)
        path += 2;
    for (const char *p = path; *p != '\0'; p++) {
        bool is_plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                        (*p >= '0' && *p <= '9') || strchr("-._~/", *p) != NULL;
        if (is_plain)
            lz_str_add_char(&uri, *p);
        else
            lz_str_addf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
    }
    lz_json_string(out, uri.text);
    lz_str_finish(&uri);
}

static void add_artifact(struct lz_str *out, const char *path)
{
    lz_str_add(out, "\"artifactLocation\":{\"uri\":");
    add_uri(out, path);
    lz_str_add(out, "}");
}

static void sarif_fix(struct lz_str *out, const struct lz_finding *f)
{
    lz_str_add(out, ",\"fixes\":[{\"description\":{\"text\":");
    lz_json_string(out, f->help != NULL ? f->help : f->text);
    lz_str_add(out, "},\"artifactChanges\":[{");
    add_artifact(out, f->path);
    lz_str_addf(out,
                ",\"replacements\":[{\"deletedRegion\":{\"startLine\":%" PRIu32
                ",\"startColumn\":%" PRIu32 ",\"endColumn\":%" PRIu32 "},\"insertedContent\":{",
                f->fix.line, f->fix.char_col, f->fix.char_col + f->fix.char_len);
    lz_str_add(out, "\"text\":");
    lz_json_string(out, f->fix.with);
    lz_str_add(out, "}}]}]}]");
}

static void sarif_result(struct lz_str *out, const struct lz_finding *f, size_t rule)
{
    lz_str_addf(out, "{\"ruleId\":\"%s\",\"ruleIndex\":%zu,\"level\":\"%s\",\"message\":{\"text\":",
                f->code, rule, level_of(f));
    struct lz_str text;
    lz_str_init(&text);
    lz_str_add(&text, f->text);
    if (f->help != NULL)
        lz_str_addf(&text, "; %s", f->help);
    lz_json_string(out, text.text);
    lz_str_finish(&text);
    lz_str_add(out, "},\"locations\":[{\"physicalLocation\":{");
    add_artifact(out, f->path);
    if (f->line > 0)
        lz_str_addf(out, ",\"region\":{\"startLine\":%" PRIu32, f->line);
    if (f->line > 0 && f->col > 0)
        lz_str_addf(out, ",\"startColumn\":%" PRIu32 ",\"endColumn\":%" PRIu32, f->col, end_col(f));
    lz_str_add(out, f->line > 0 ? "}}}]" : "}}]");
    if (f->fix.with != NULL)
        sarif_fix(out, f);
    lz_str_add(out, "}");
}

// The codes that occur, in the order they are first met.
struct rules {
    const struct lz_finding **items;
    size_t count;
};

static size_t rule_of(struct rules *rules, const struct lz_finding *f)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->items[i]->code, f->code) == 0)
            return i;
    }
    rules->items = lz_mem_resize(rules->items, (rules->count + 1) * sizeof(const void *));
    rules->items[rules->count] = f;
    return rules->count++;
}

static void sarif_rules(struct lz_str *out, const struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct lz_finding *f = rules->items[i];
        lz_str_addf(out, "%s{\"id\":\"%s\",\"shortDescription\":{\"text\":", i > 0 ? "," : "",
                    f->code);
        lz_json_string(out, f->title != NULL ? f->title : f->text);
        lz_str_addf(out, "},\"help\":{\"text\":\"lorenz explain %s\"}}", f->code);
    }
}

static void sarif_problems(struct lz_str *out, const struct lz_check_result *result)
{
    size_t count = 0;
    lz_str_add(out, "],\"invocations\":[{\"executionSuccessful\":");
    for (size_t i = 0; i < result->count; i++)
        count += result->files[i].problem != NULL;
    lz_str_addf(out, "%s,\"toolExecutionNotifications\":[", count == 0 ? "true" : "false");
    count = 0;
    for (size_t i = 0; i < result->count; i++) {
        if (result->files[i].problem == NULL)
            continue;
        lz_str_add(out, count++ > 0 ? "," : "");
        lz_str_add(out, "{\"level\":\"error\",\"message\":{\"text\":");
        lz_json_string(out, result->files[i].problem);
        lz_str_add(out, "},\"locations\":[{\"physicalLocation\":{");
        add_artifact(out, result->files[i].path);
        lz_str_add(out, "}}]}");
    }
    lz_str_add(out, "]}]");
}

void lz_check_out_sarif(struct lz_str *out, const struct lz_check_result *result)
{
    struct rules rules = {0};
    struct lz_str results;
    lz_str_init(&results);
    for (size_t i = 0; i < result->count; i++) {
        const struct lz_vet *vet = &result->files[i].vet;
        for (size_t k = 0; k < vet->count; k++) {
            lz_str_add(&results, results.len > 0 ? ",\n" : "\n");
            sarif_result(&results, &vet->items[k], rule_of(&rules, &vet->items[k]));
        }
    }
    lz_str_addf(out,
                "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                "\"version\":\"2.1.0\",\n\"runs\":[{\"tool\":{\"driver\":{\"name\":\"lorenz\","
                "\"version\":\"%s\",\"rules\":[",
                LZ_VERSION);
    sarif_rules(out, &rules);
    lz_str_add(out, "]}},\"columnKind\":\"unicodeCodePoints\",\n\"results\":[");
    lz_str_add_n(out, results.text, results.len);
    sarif_problems(out, result);
    lz_str_add(out, "}]}\n");
    lz_str_finish(&results);
    free(rules.items);
}

// ---------------------------------------------------------------- github

// What a workflow command would take for its own is escaped; more of it inside a property.
static void add_escaped(struct lz_str *out, const char *text, bool is_property)
{
    for (; *text != '\0'; text++) {
        bool is_special = *text == '%' || *text == '\r' || *text == '\n' ||
                          (is_property && (*text == ':' || *text == ','));
        if (is_special)
            lz_str_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
        else
            lz_str_add_char(out, *text);
    }
}

static void github_finding(struct lz_str *out, const struct lz_finding *f)
{
    lz_str_addf(out, "::%s file=", level_of(f));
    add_escaped(out, f->path, true);
    if (f->line > 0)
        lz_str_addf(out, ",line=%" PRIu32, f->line);
    if (f->line > 0 && f->col > 0)
        lz_str_addf(out, ",col=%" PRIu32 ",endColumn=%" PRIu32, f->col, end_col(f));
    lz_str_addf(out, ",title=%s::", f->code);
    add_escaped(out, f->text, false);
    if (f->help != NULL) {
        lz_str_add(out, "%0Ahelp: ");
        add_escaped(out, f->help, false);
    }
    lz_str_add_char(out, '\n');
}

static void github_problem(struct lz_str *out, const struct lz_check_file *file)
{
    lz_str_add(out, "::error file=");
    add_escaped(out, file->path, true);
    lz_str_add(out, ",title=lorenz::");
    add_escaped(out, file->problem, false);
    lz_str_add_char(out, '\n');
}

// Problems, then errors, then warnings: what is hidden is what matters least.
void lz_check_out_github(struct lz_str *out, const struct lz_check_result *result)
{
    size_t shown = 0, all = result->errors + result->warnings, from = out->len;
    for (size_t i = 0; i < result->count && shown < ANNOTATIONS_MAX; i++) {
        if (result->files[i].problem == NULL)
            continue;
        github_problem(out, &result->files[i]);
        shown++;
    }
    for (int warnings = 0; warnings < 2; warnings++) {
        for (size_t i = 0; i < result->count; i++) {
            const struct lz_vet *vet = &result->files[i].vet;
            for (size_t k = 0; k < vet->count && shown < ANNOTATIONS_MAX; k++) {
                if (vet->items[k].is_warning != (warnings == 1))
                    continue;
                github_finding(out, &vet->items[k]);
                shown++;
            }
        }
    }
    LZ_ASSERT(shown <= all);
    if (all > shown)
        lz_str_addf(out, "::notice title=lorenz::and %zu more, see the log of lorenz check\n",
                    all - shown);
    lz_str_make_plain(out, from);
}
