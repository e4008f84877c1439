#include "promql/lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "promql/regex_code.h"

static bool complain(struct lz_promql_fault *f, size_t at, size_t len, const char *what)
{
    f->at = at;
    f->len = len > 0 ? len : 1;
    return lz_fail(&f->err, LZ_EINVAL, "%s", what);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_space(struct lz_promql_lexer *l)
{
    while (l->text[l->at] != '\0' && strchr(" \t\r\n#", l->text[l->at]) != NULL) {
        if (l->text[l->at] == '#')
            l->at += strcspn(l->text + l->at, "\n");
        else
            l->at++;
    }
}

static void finish(struct lz_promql_lexer *l, struct lz_promql_token *t, size_t until)
{
    LZ_ASSERT(until > t->at);
    t->len = until - t->at;
    l->at = until;
    if (t->text == NULL)
        t->text = lz_promql_scratch_text(l->scratch, l->text + t->at, t->len);
}

// ---------------------------------------------------------------- numbers

struct unit {
    const char *name;
    double seconds;
};

// From the largest on, each once at most.
static const struct unit units[] = {
    {"y", 365 * 86400.0}, {"w", 7 * 86400.0}, {"d", 86400.0}, {"h", 3600.0},
    {"m", 60.0},          {"s", 1.0},         {"ms", 0.001},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static size_t unit_at(const char *c)
{
    if (c[0] == 'm' && c[1] == 's')
        return UNITS - 1;
    for (size_t i = 0; i + 1 < UNITS; i++)
        if (*c == units[i].name[0])
            return i;
    return UNITS;
}

static bool begins_duration(const char *c)
{
    c += strspn(c, "0123456789");
    size_t unit = unit_at(c);
    if (unit == UNITS)
        return false;
    c += strlen(units[unit].name);
    return !is_letter(*c); // "5e3" is no duration, and "5min" is refused as a number
}

static bool read_duration(struct lz_promql_lexer *l, struct lz_promql_token *t,
                          struct lz_promql_fault *f)
{
    const char *c = l->text + l->at;
    size_t last = 0;
    t->kind = LZ_PROMQL_TOKEN_DURATION;
    while (is_digit(*c)) {
        double count = 0.0;
        for (; is_digit(*c); c++)
            count = count * 10.0 + (*c - '0');
        size_t unit = unit_at(c);
        if (unit == UNITS || unit < last)
            return complain(f, t->at, (size_t)(c + 1 - l->text) - t->at,
                            "a duration is such as 1h30m: numbers with y, w, d, h, m, s, ms, the "
                            "larger before the smaller");
        t->number += count * units[unit].seconds;
        last = unit + 1;
        c += strlen(units[unit].name);
    }
    if (t->number > 292.0 * 365 * 86400)
        return complain(f, t->at, (size_t)(c - l->text) - t->at,
                        "a duration must be at most 292 years");
    finish(l, t, (size_t)(c - l->text));
    return true;
}

// strtod knows more than PromQL: hexadecimal fractions, words. Underscores may stand between
// digits.
static bool read_number(struct lz_promql_lexer *l, struct lz_promql_token *t,
                        struct lz_promql_fault *f)
{
    char digits[400];
    size_t len = 0;
    const char *c = l->text + l->at;
    bool is_hex = c[0] == '0' && (c[1] | 32) == 'x';
    for (; len + 1 < sizeof(digits); c++) {
        bool is_sign =
            len > 0 && (*c == '+' || *c == '-') && !is_hex && (digits[len - 1] | 32) == 'e';
        if (!is_digit(*c) && !is_letter(*c) && *c != '.' && !is_sign)
            break;
        if (*c == '_' && is_digit(c[-1]) && is_digit(c[1]))
            continue;
        digits[len++] = *c;
    }
    digits[len] = '\0';
    char *end = NULL;
    t->kind = LZ_PROMQL_TOKEN_NUMBER;
    // As ParseInt with base 0, and where that does not take it as a fraction: 0755 is octal.
    bool is_octal = digits[0] == '0' && len > 1 && strspn(digits, "01234567") == len;
    errno = 0;
    t->number = is_hex     ? (double)strtoll(digits, &end, 16)
                : is_octal ? (double)strtoll(digits, &end, 8)
                           : strtod(digits, &end);
    if (is_octal && errno == ERANGE)
        t->number = strtod(digits, &end);
    if (is_hex && errno == ERANGE)
        return complain(f, t->at, (size_t)(c - l->text) - t->at,
                        "a hexadecimal number must be at most 0x7fffffffffffffff");
    if (*end != '\0' || len == 0 || (is_hex && len == 2))
        return complain(f, t->at, (size_t)(c - l->text) - t->at,
                        "not a number, and not a duration such as 5m or 1h30m");
    finish(l, t, (size_t)(c - l->text));
    return true;
}

// ---------------------------------------------------------------- strings

static char *put_char(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *out++ = (char)((0xff00u >> (more + 1) & 0xffu) | c >> (6 * more));
    for (; more > 0; more--)
        *out++ = (char)(0x80 | (c >> (6 * (more - 1)) & 0x3f));
    return out;
}

// `digits` of base 8 or 16 at `c`; UINT32_MAX: not so many.
static uint32_t read_digits(const char *c, uint32_t digits, uint32_t base)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < digits; i++) {
        const char *known = "0123456789abcdef";
        const char *at = c[i] == '\0' ? NULL : strchr(known, is_digit(c[i]) ? c[i] : c[i] | 32);
        if (at == NULL || (uint32_t)(at - known) >= base)
            return UINT32_MAX;
        value = value * base + (uint32_t)(at - known);
    }
    return value;
}

// Behind a backslash: what it is, and how many bytes; 0: nothing known.
static size_t read_escape(const char *c, char quote, char **out)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    const char *known = *c == '\0' ? NULL : strchr(names, *c);
    if (known != NULL || *c == quote) {
        *(*out)++ = known != NULL ? values[known - names] : quote;
        return 1;
    }
    bool octal = *c >= '0' && *c <= '7';
    uint32_t digits = octal ? 3 : *c == 'x' ? 2 : *c == 'u' ? 4 : *c == 'U' ? 8 : 0;
    uint32_t value = read_digits(c + (octal ? 0 : 1), digits, octal ? 8 : 16);
    if (digits == 0 || value == UINT32_MAX || value == 0 || value > 0x10ffff ||
        (octal && value > 255))
        return 0;
    if (octal || *c == 'x')
        *(*out)++ = (char)value;
    else
        *out = put_char(*out, value);
    return digits + (octal ? 0 : 1);
}

static bool read_string(struct lz_promql_lexer *l, struct lz_promql_token *t,
                        struct lz_promql_fault *f)
{
    char quote = l->text[l->at];
    const char *c = l->text + l->at + 1;
    char *text = lz_promql_scratch_alloc(l->scratch, strlen(c) + 1), *out = text;
    t->kind = LZ_PROMQL_TOKEN_STRING;
    while (*c != quote) {
        if (*c == '\0' || (*c == '\n' && quote != '`'))
            return complain(f, t->at, (size_t)(c - l->text) - t->at,
                            "a text whose quote is not closed");
        if (*c != '\\' || quote == '`') {
            *out++ = *c++;
            continue;
        }
        size_t len = read_escape(c + 1, quote, &out);
        if (len == 0)
            return complain(f, (size_t)(c - l->text), 2,
                            "no such escape; a backslash is written \\\\, or the text in `...`");
        c += 1 + len;
    }
    t->text = text;
    finish(l, t, (size_t)(c + 1 - l->text));
    return true;
}

// ---------------------------------------------------------------- the rest

static bool read_name(struct lz_promql_lexer *l, struct lz_promql_token *t)
{
    size_t at = l->at;
    while (is_letter(l->text[at]) || is_digit(l->text[at]) ||
           (l->text[at] == ':' && l->brackets == 0))
        at++;
    t->kind = LZ_PROMQL_TOKEN_NAME;
    finish(l, t, at);
    return true;
}

static size_t sign_at(const char *c)
{
    static const char *const two[] = {"==", "!=", "=~", "!~", "<=", ">="};
    for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++)
        if (strncmp(c, two[i], 2) == 0)
            return 2;
    return strchr("(){}[],:@+-*/%^=<>", *c) != NULL ? 1 : 0;
}

bool lz_promql_lex(struct lz_promql_lexer *l, struct lz_promql_token *out,
                   struct lz_promql_fault *fault)
{
    skip_space(l);
    *out = (struct lz_promql_token){.kind = LZ_PROMQL_TOKEN_END, .at = l->at, .len = 1, .text = ""};
    char c = l->text[l->at], next = c == '\0' ? '\0' : l->text[l->at + 1];
    if (c == '\0')
        return true;
    out->text = NULL;
    if (is_digit(c) || (c == '.' && is_digit(next)))
        return begins_duration(l->text + l->at) ? read_duration(l, out, fault)
                                                : read_number(l, out, fault);
    if (c == '"' || c == '\'' || c == '`')
        return read_string(l, out, fault);
    if (is_letter(c) || (c == ':' && l->brackets == 0))
        return read_name(l, out);
    size_t len = sign_at(l->text + l->at);
    if (len == 0)
        return complain(fault, l->at, 1,
                        c == '!' ? "! alone; there are != and !~"
                        : c == '&' || c == '|'
                            ? "not a sign of PromQL; sets are joined by and, or, unless"
                            : "not a sign of PromQL");
    if (c == '[')
        l->brackets++;
    else if (c == ']' && l->brackets > 0)
        l->brackets--;
    out->kind = LZ_PROMQL_TOKEN_SIGN;
    finish(l, out, l->at + len);
    return true;
}
