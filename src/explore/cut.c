#include "explore/cut.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

static char *copy_n(const char *text, size_t len)
{
    char *copy = lz_mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void lz_cut_init(struct lz_cut *cut, const char *text, size_t len)
{
    *cut = (struct lz_cut){.text = copy_n(text, len), .len = len};
    lz_atoms_find(cut->text, len, &cut->atoms);
    cut->with = lz_mem_alloc((cut->atoms.count + 1) * sizeof(char *));
    for (size_t i = 0; i < cut->atoms.count; i++)
        cut->with[i] = NULL;
}

void lz_cut_finish(struct lz_cut *cut)
{
    for (size_t i = 0; i < cut->atoms.count; i++)
        free(cut->with[i]);
    free(cut->with);
    free(cut->text);
    lz_atoms_free(&cut->atoms);
    *cut = (struct lz_cut){0};
}

void lz_cut_set(struct lz_cut *cut, size_t atom, const char *with)
{
    LZ_ASSERT(atom < cut->atoms.count);
    char *copy = with != NULL ? copy_n(with, strlen(with)) : NULL;
    free(cut->with[atom]);
    cut->with[atom] = copy;
}

// One around it is gone, or something else stands there.
static bool is_inside(const struct lz_cut *cut, size_t atom)
{
    const struct lz_atom *items = cut->atoms.items;
    while (items[atom].parent != atom) {
        atom = items[atom].parent;
        if (cut->with[atom] != NULL)
            return true;
    }
    return false;
}

bool lz_cut_is_there(const struct lz_cut *cut, size_t atom)
{
    LZ_ASSERT(atom < cut->atoms.count);
    bool is_out = cut->with[atom] != NULL && cut->with[atom][0] == '\0';
    return !is_out && !is_inside(cut, atom);
}

void lz_cut_literal(const struct lz_cut *cut, size_t atom, struct lz_str *out)
{
    const struct lz_atom *a = &cut->atoms.items[atom];
    if (cut->with[atom] != NULL)
        lz_str_add(out, cut->with[atom]);
    else
        lz_str_add_n(out, cut->text + a->from, a->size);
}

// ---------------------------------------------------------------- writing

static int by_place(const void *a, const void *b, void *ctx)
{
    const struct lz_cut *cut = ctx;
    size_t x = cut->atoms.items[*(const size_t *)a].from;
    size_t y = cut->atoms.items[*(const size_t *)b].from;
    return x < y ? -1 : x > y;
}

static void cut_back(struct lz_str *out, size_t len)
{
    out->len = len;
    out->text[len] = '\0';
}

// After something was left out: where to go on, so that no empty line or lone comment stays.
static size_t drop_rest(const struct lz_cut *cut, size_t at, struct lz_str *out)
{
    size_t line = out->len;
    while (line > 0 && strchr(" \t", out->text[line - 1]) != NULL)
        line--;
    if (at > 0 && cut->text[at - 1] == '\n')
        return at; // its line went with it
    bool is_first = line == 0 || out->text[line - 1] == '\n';
    size_t end = at;
    while (end < cut->len && strchr(" \t", cut->text[end]) != NULL)
        end++;
    if (is_first && strncmp(cut->text + end, "--", 2) == 0 &&
        strncmp(cut->text + end, "--[[", 4) != 0)
        end += strcspn(cut->text + end, "\n");
    if (!is_first || (end < cut->len && cut->text[end] != '\n')) {
        bool is_apart = out->len > 0 && strchr(" {", out->text[out->len - 1]) != NULL;
        return is_apart ? at + strspn(cut->text + at, " ") : at;
    }
    cut_back(out, line);
    return end < cut->len ? end + 1 : end;
}

static void apply(const struct lz_cut *cut, struct lz_str *out)
{
    size_t count = 0, at = 0;
    size_t *edits = lz_mem_alloc((cut->atoms.count + 1) * sizeof(*edits));
    for (size_t i = 0; i < cut->atoms.count; i++)
        if (cut->with[i] != NULL && !is_inside(cut, i))
            edits[count++] = i;
    lz_sort(edits, count, sizeof(*edits), by_place, (void *)cut);
    for (size_t i = 0; i < count; i++) {
        const struct lz_atom *a = &cut->atoms.items[edits[i]];
        if (a->from + a->size <= at)
            continue; // its line went with another
        size_t from = a->from > at ? a->from : at;
        lz_str_add_n(out, cut->text + at, from - at);
        lz_str_add(out, cut->with[edits[i]]);
        at = a->from + a->size;
        if (cut->with[edits[i]][0] == '\0')
            at = drop_rest(cut, at, out);
    }
    lz_str_add_n(out, cut->text + at, cut->len - at);
    free(edits);
}

// The end of a text or a comment that begins at `c`; `c` itself if none does.
static const char *skip_quoted(const char *c)
{
    const char *end = c;
    if (strncmp(c, "--[[", 4) == 0 || strncmp(c, "[[", 2) == 0) {
        end = strstr(c, "]]");
        return end != NULL ? end + 2 : c + strlen(c);
    }
    if (strncmp(c, "--", 2) == 0)
        return c + strcspn(c, "\n");
    if (*c != '"' && *c != '\'')
        return c;
    for (end = c + 1; *end != '\0' && *end != '\n' && *end != *c; end++)
        end += *end == '\\' && end[1] != '\0';
    return *end != '\0' ? end + 1 : end;
}

static bool is_comma_before_brace(const char *c)
{
    return *c == ',' && c[1 + strspn(c + 1, " \t")] == '}';
}

static void tidy(const char *text, struct lz_str *out)
{
    for (const char *c = text; *c != '\0';) {
        const char *end = skip_quoted(c);
        if (end > c) {
            lz_str_add_n(out, c, (size_t)(end - c));
            c = end;
            continue;
        }
        if (*c == '\n')
            while (out->len > 0 && strchr(" \t", out->text[out->len - 1]) != NULL)
                cut_back(out, out->len - 1);
        bool is_blank =
            *c == '\n' &&
            (out->len == 0 || (out->len >= 2 && memcmp(out->text + out->len - 2, "\n\n", 2) == 0));
        if (!is_blank && !is_comma_before_brace(c))
            lz_str_add_char(out, *c);
        c++;
    }
    while (out->len > 1 && memcmp(out->text + out->len - 2, "\n\n", 2) == 0)
        cut_back(out, out->len - 1);
}

void lz_cut_write(const struct lz_cut *cut, struct lz_str *out)
{
    struct lz_str raw;
    lz_str_init(&raw);
    apply(cut, &raw);
    tidy(raw.text, out);
    lz_str_finish(&raw);
}

// ---------------------------------------------------------------- amounts

static const struct unit {
    const char *name;
    double ns;
} units[] = {
    {"d", 86400e9}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

// "1m30s" in nanoseconds; false: it is no duration.
static bool read_duration(const char *text, double *out)
{
    double sum = 0.0;
    if (*text == '\0')
        return false;
    while (*text != '\0') {
        char *end;
        double n = strtod(text, &end);
        size_t len = strspn(end, "dhmsun");
        size_t i = 0;
        while (i < UNITS && !(strlen(units[i].name) == len && memcmp(units[i].name, end, len) == 0))
            i++;
        if (end == text || !isdigit((unsigned char)*text) || i == UNITS)
            return false;
        sum += n * units[i].ns;
        text = end + len;
        text += strspn(text, " ");
    }
    *out = sum;
    return true;
}

// Two digits that count.
static double two_digits(double value)
{
    if (!(value > 0.0))
        return 0.0;
    double unit = pow(10.0, floor(log10(value)) - 1.0);
    return round(value / unit) * unit;
}

// In the largest unit that gives a whole number of two digits that count; "2.5s" for 2500ms, but
// "1400s", of which minutes make no short number.
static void write_duration(double ns, struct lz_str *out)
{
    double rounded = two_digits(ns < 1.0 ? 1.0 : ns);
    for (size_t i = 0; i < UNITS; i++) {
        double n = round(rounded / units[i].ns);
        if (!(n >= 1.0 && fabs(n * units[i].ns - rounded) < 1e-3 * rounded))
            continue;
        size_t unit = n >= 1000.0 && i > 0 && units[i].ns < 1e9 ? i - 1 : i;
        lz_str_addf(out, "%.10g%s", n * units[i].ns / units[unit].ns, units[unit].name);
        return;
    }
    lz_str_addf(out, "%.0fns", round(rounded));
}

static bool scale_number(const char *text, double factor, struct lz_str *out)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || !isdigit((unsigned char)*text) || !(n > 0.0))
        return false;
    bool is_count = strchr("%/", *end) == NULL || *end == '\0';
    bool is_whole = n == floor(n) && memchr(text, '.', (size_t)(end - text)) == NULL;
    double scaled = n * factor;
    if (is_count && is_whole)
        scaled = scaled < 1.0 ? 1.0 : scaled < n ? floor(scaled) : ceil(scaled);
    if (scaled >= 100.0 || !(is_count && is_whole))
        scaled = two_digits(scaled);
    if (scaled == n)
        return false;
    lz_str_addf(out, "%.10g%s", scaled, end);
    return true;
}

bool lz_cut_scale(const char *literal, double factor, struct lz_str *out)
{
    size_t len = strlen(literal);
    bool is_quoted = len >= 2 && (literal[0] == '"' || literal[0] == '\'');
    char *inside = is_quoted ? copy_n(literal + 1, len - 2) : copy_n(literal, len);
    struct lz_str scaled;
    double ns;
    lz_str_init(&scaled);
    bool ok = true;
    if (is_quoted && read_duration(inside, &ns) && ns > 0.0)
        write_duration(ns * factor, &scaled);
    else
        ok = scale_number(inside, factor, &scaled);
    ok = ok && strcmp(scaled.text, inside) != 0;
    if (ok)
        lz_str_addf(out, is_quoted ? "\"%s\"" : "%s", scaled.text);
    lz_str_finish(&scaled);
    free(inside);
    return ok;
}
