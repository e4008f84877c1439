#include "cli/conf.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#define NAME "lorenz.conf.lua"

static char *copy_n(const char *text, size_t len)
{
    char *copy = lz_mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

// ---------------------------------------------------------------- reading

struct reading {
    struct lz_conf *conf;
    const char *path, *at;
    unsigned line;
    char *profile; // the one being read; NULL: none
    struct lz_err *err;
};

LZ_PRINTF(2, 3)
static bool wrong(const struct reading *r, const char *fmt, ...)
{
    va_list ap;
    struct lz_str text;
    lz_str_init(&text);
    va_start(ap, fmt);
    lz_str_vaddf(&text, fmt, ap);
    va_end(ap);
    lz_fail(r->err, LZ_EINVAL, "%s:%u: %s", r->path, r->line, text.text);
    lz_str_finish(&text);
    return false;
}

static void skip_line(struct reading *r)
{
    r->at += strcspn(r->at, "\n");
}

// Blanks and comments, the long ones too.
static void skip(struct reading *r)
{
    for (;;) {
        if (*r->at == '\n')
            r->line++;
        if (*r->at != '\0' && strchr(" \t\r\n", *r->at) != NULL) {
            r->at++;
        } else if (strncmp(r->at, "--[[", 4) == 0) {
            const char *end = strstr(r->at, "]]");
            for (; *r->at != '\0' && r->at != end; r->at++)
                r->line += *r->at == '\n';
            r->at += end != NULL ? 2 : 0;
        } else if (strncmp(r->at, "--", 2) == 0) {
            skip_line(r);
        } else {
            return;
        }
    }
}

static bool take(struct reading *r, char c)
{
    skip(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static size_t word_len(const char *at)
{
    size_t len = 0;
    while (isalnum((unsigned char)at[len]) || at[len] == '_')
        len++;
    return isdigit((unsigned char)at[0]) ? 0 : len;
}

static bool take_word(struct reading *r, const char *word)
{
    skip(r);
    size_t len = word_len(r->at);
    if (len != strlen(word) || strncmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

// A text in quotes, with the escapes that a path or a name may need.
static bool read_text(struct reading *r, struct lz_str *out)
{
    char quote = *r->at++;
    for (; *r->at != quote; r->at++) {
        if (*r->at == '\0' || *r->at == '\n')
            return wrong(r, "a quote is not closed");
        if (*r->at == '\\') {
            r->at++;
            const char *known = strchr("\\\"'nt", *r->at);
            if (*r->at == '\0' || known == NULL)
                return wrong(r, "of escapes there are \\\\ \\\" \\' \\n and \\t");
        }
        bool is_escape = r->at[-1] == '\\' && (*r->at == 'n' || *r->at == 't');
        lz_str_add_char(out, !is_escape ? *r->at : *r->at == 'n' ? '\n' : '\t');
    }
    r->at++;
    return true;
}

// A text, a number, true or false; as text.
static bool read_literal(struct reading *r, struct lz_str *out)
{
    skip(r);
    if (*r->at == '"' || *r->at == '\'')
        return read_text(r, out);
    size_t len = strspn(r->at, "-+.0123456789eE");
    if (len > 0 && isdigit((unsigned char)r->at[*r->at == '-'])) {
        lz_str_add_n(out, r->at, len);
        r->at += len;
        return true;
    }
    len = word_len(r->at);
    if ((len == 4 && strncmp(r->at, "true", 4) == 0) ||
        (len == 5 && strncmp(r->at, "false", 5) == 0)) {
        lz_str_add_n(out, r->at, len);
        r->at += len;
        return true;
    }
    len = len > 0 ? len : *r->at != '\0';
    if (len == 0)
        return wrong(r, "the file ends where a value is expected");
    return wrong(r,
                 "expected a text, a number, true or false, got `%.*s`: there is nothing but "
                 "literals in %s",
                 (int)len, r->at, NAME);
}

static bool add(struct reading *r, const char *name, const char *value, unsigned line)
{
    struct lz_conf *c = r->conf;
    if (c->count == LZ_CONF_ITEMS_MAX)
        return wrong(r, "more than %d settings", LZ_CONF_ITEMS_MAX);
    c->items = lz_mem_resize(c->items, (c->count + 1) * sizeof(*c->items));
    c->items[c->count++] = (struct lz_conf_item){
        .profile = r->profile != NULL ? copy_n(r->profile, strlen(r->profile)) : NULL,
        .name = copy_n(name, strlen(name)),
        .value = copy_n(value, strlen(value)),
        .path = r->path,
        .line = line};
    return true;
}

static bool read_value(struct reading *r, const char *name)
{
    unsigned line = r->line;
    bool is_list = take(r, '{'), ok = true;
    while (ok && !(is_list && take(r, '}'))) {
        struct lz_str value;
        lz_str_init(&value);
        ok = read_literal(r, &value) && add(r, name, value.text, line);
        lz_str_finish(&value);
        if (!is_list || !ok)
            break;
        if (!take(r, ',') && !take(r, ';')) {
            ok = take(r, '}') || wrong(r, "expected `,` or `}` in the list of %s", name);
            break;
        }
    }
    return ok;
}

static bool read_table(struct reading *r, bool (*field)(struct reading *r, const char *name));

static bool read_setting(struct reading *r, const char *name)
{
    char option[64];
    if (strlen(name) >= sizeof(option))
        return wrong(r, "there is no option as long as `%s`", name);
    for (size_t i = 0; i <= strlen(name); i++)
        option[i] = name[i] == '_' ? '-' : name[i];
    return read_value(r, option);
}

static bool read_profile(struct reading *r, const char *name)
{
    r->profile = copy_n(name, strlen(name));
    bool ok = read_table(r, read_setting);
    free(r->profile);
    r->profile = NULL;
    return ok;
}

static bool read_top(struct reading *r, const char *name)
{
    return strcmp(name, "profile") == 0 ? read_table(r, read_profile) : read_setting(r, name);
}

static bool read_table(struct reading *r, bool (*field)(struct reading *r, const char *name))
{
    if (!take(r, '{'))
        return wrong(r, "expected a table: { name = value, ... }");
    while (!take(r, '}')) {
        skip(r);
        size_t len = word_len(r->at);
        if (len == 0)
            return wrong(r, "expected a name and `=`");
        char *name = copy_n(r->at, len);
        r->at += len;
        bool ok = take(r, '=') || wrong(r, "expected `=` after `%s`", name);
        ok = ok && field(r, name);
        free(name);
        if (!ok)
            return false;
        if (!take(r, ',') && !take(r, ';'))
            return take(r, '}') || wrong(r, "expected `,` or `}`");
    }
    return true;
}

bool lz_conf_parse(const char *path, const char *text, struct lz_conf *out, struct lz_err *err)
{
    struct reading r = {.conf = out, .path = path, .at = text, .line = 1, .err = err};
    skip(&r);
    if (*r.at == '\0')
        return true; // a file that only marks the project's folder
    if (!take_word(&r, "return"))
        return wrong(&r, "a configuration begins with: return {");
    if (!read_table(&r, read_top))
        return false;
    skip(&r);
    return *r.at == '\0' || wrong(&r, "there is something after the table");
}

// ---------------------------------------------------------------- finding

static bool load(const char *path, struct lz_conf *out, struct lz_err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    struct lz_str text;
    lz_str_init(&text);
    char chunk[4096];
    size_t n;
    while (text.len <= LZ_CONF_SIZE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        lz_str_add_n(&text, chunk, n);
    int why = errno;
    bool ok = ferror(file) == 0 || lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(why));
    fclose(file);
    if (ok && text.len > LZ_CONF_SIZE_MAX)
        ok = lz_fail(err, LZ_EFULL, "%s has more than %d bytes", path, LZ_CONF_SIZE_MAX);
    ok = ok && lz_conf_parse(path, text.text, out, err);
    lz_str_finish(&text);
    return ok;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static char *user_path(void)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    struct lz_str path;
    lz_str_init(&path);
    if (xdg != NULL && xdg[0] == '/')
        lz_str_addf(&path, "%s/lorenz/" NAME, xdg);
    else if (home != NULL && home[0] == '/')
        lz_str_addf(&path, "%s/.config/lorenz/" NAME, home);
    if (path.len > 0 && is_file(path.text))
        return lz_str_take(&path);
    lz_str_finish(&path);
    return NULL;
}

// The nearest, here or above; as short as it can be said.
static char *project_path(void)
{
    char here[PATH_MAX];
    if (is_file(NAME))
        return copy_n(NAME, strlen(NAME));
    if (getcwd(here, sizeof(here)) == NULL)
        return NULL;
    for (char *slash = strrchr(here, '/'); slash != NULL; slash = strrchr(here, '/')) {
        *slash = '\0';
        struct lz_str path;
        lz_str_init(&path);
        lz_str_addf(&path, "%s/" NAME, here);
        if (is_file(path.text))
            return lz_str_take(&path);
        lz_str_finish(&path);
    }
    return NULL;
}

bool lz_conf_load(const char *path, struct lz_conf *out, struct lz_err *err)
{
    *out = (struct lz_conf){.user = user_path()};
    out->project = path != NULL ? copy_n(path, strlen(path)) : project_path();
    bool ok = (out->user == NULL || load(out->user, out, err)) &&
              (out->project == NULL || load(out->project, out, err));
    if (!ok)
        lz_conf_finish(out);
    return ok;
}

void lz_conf_finish(struct lz_conf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        free(conf->items[i].profile);
        free(conf->items[i].name);
        free(conf->items[i].value);
    }
    free(conf->items);
    free(conf->user);
    free(conf->project);
    *conf = (struct lz_conf){0};
}

bool lz_conf_has_profile(const struct lz_conf *conf, const char *profile)
{
    for (size_t i = 0; i < conf->count; i++)
        if (conf->items[i].profile != NULL && strcmp(conf->items[i].profile, profile) == 0)
            return true;
    return false;
}
