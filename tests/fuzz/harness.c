// What a text from a stranger may and may not do, whatever it says: each universe ends as a plan
// or as findings; memory stays within its limit; nothing is read; no message shows an address, a C
// function or a file of the private Lua half. A crash, a hang or a failed assertion shows itself.

#include "harness.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/findings.h"

#define MEMORY_MAX ((size_t)48 << 20)
#define INSTRUCTIONS_MAX 3000000

struct text {
    const char *bytes;
    size_t len;
};

static void broken(const char *promise, const char *text)
{
    fprintf(stderr, "broken promise: %s\n%s\n", promise, text);
    abort();
}

// A module: there is one that does nothing, and nothing else.
static bool read_none(void *ctx, const char *from, const char *name, struct lz_script_file *out,
                      struct lz_err *err)
{
    (void)ctx;
    if (strlen(name) == 0 || strlen(from) == 0)
        broken("a module has a name", name);
    if (strcmp(name, "./a.lua") != 0)
        return lz_fail(err, LZ_ENOENT, "there is no file %s", name);
    lz_str_add(&out->text, "return { web = function(o) return service(\"m\")(o) end }");
    lz_str_add(&out->path, "a.lua");
    lz_str_add(&out->key, "a.lua");
    return true;
}

// Whether the text itself says so; it may have any bytes.
static bool says(const struct text *t, const char *words)
{
    return memmem(t->bytes, t->len, words, strlen(words)) != NULL;
}

// Six or more hexadecimal digits after 0x, which the text itself does not have.
static bool has_address(const char *shown, const struct text *text)
{
    for (const char *p = shown; (p = strstr(p, "0x")) != NULL; p += 2) {
        size_t digits = 0;
        while (isxdigit((unsigned char)p[2 + digits]))
            digits++;
        if (digits >= 6 && !says(text, "0x"))
            return true;
    }
    return false;
}

static void check_shown(const char *shown, const struct text *text)
{
    static const char *const internal[] = {"lz.", "[C]", "lua_", "luaL_", "builtin:"};
    if (has_address(shown, text))
        broken("no message shows an address", shown);
    for (size_t i = 0; i < sizeof(internal) / sizeof(internal[0]); i++)
        if (strstr(shown, internal[i]) != NULL && !says(text, internal[i]))
            broken("no message shows the inside", shown);
    for (const char *p = shown; *p != '\0'; p++)
        if ((unsigned char)*p < 32 && *p != '\n' && *p != '\t')
            broken("no message commands a terminal", shown);
}

static void check_findings(struct lz_script *s, const struct text *text)
{
    const struct lz_finding *items;
    size_t count = lz_findings_get(s, false, &items);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(items[i].code, "LZ", 2) != 0 || items[i].text[0] == '\0')
            broken("a finding has a code and a sentence", items[i].shown);
        check_shown(items[i].shown, text);
    }
    enum lz_script_trouble trouble = lz_script_trouble(s);
    bool is_wrong = trouble == LZ_SCRIPT_WRONG || trouble == LZ_SCRIPT_RUNAWAY;
    if (is_wrong && lz_script_error_count(s) == 0)
        broken("what is wrong is said", text->bytes);
    check_shown(lz_script_diagnostics(s, false), text);
}

void harness_load(const char *text, size_t len)
{
    const struct lz_script_opts opts = {
        .path = "fuzz.lua",
        .source = text,
        .source_len = len,
        .instructions_max = INSTRUCTIONS_MAX,
        .memory_max = MEMORY_MAX,
        .files = {.read = read_none},
    };
    struct lz_script *s;
    struct lz_script_world world;
    struct lz_err err;
    if (!lz_script_load(&opts, &s, &err))
        broken("a universe can be made", err.msg);
    if (lz_script_trouble(s) == LZ_SCRIPT_OK)
        lz_findings_lint(s);
    bool is_whole = lz_script_trouble(s) == LZ_SCRIPT_OK && lz_script_is_runnable(s);
    if (is_whole && !lz_script_build(s, 1, 0, &world) && lz_script_trouble(s) == LZ_SCRIPT_OK)
        broken("what cannot be built is said", text);
    check_findings(s, &(struct text){text, len});
    lz_script_destroy(s);
}
