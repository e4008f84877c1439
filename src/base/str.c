#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

void lz_str_init(struct lz_str *s)
{
    *s = (struct lz_str){.text = (char *)""}; // cap 0: nobody writes to it
}

void lz_str_finish(struct lz_str *s)
{
    if (s->cap > 0)
        free(s->text);
    lz_str_init(s);
}

void lz_str_clear(struct lz_str *s)
{
    s->len = 0;
    if (s->cap > 0)
        s->text[0] = '\0';
}

// Room for `more` bytes and the NUL.
static void reserve(struct lz_str *s, size_t more)
{
    LZ_ASSERT(s->text != NULL);
    LZ_ASSERT(more < SIZE_MAX / 4 - s->len);
    size_t need = s->len + more + 1;
    if (need <= s->cap)
        return;
    size_t cap = s->cap > 0 ? s->cap : 32;
    while (cap < need)
        cap *= 2;
    s->text = lz_mem_resize(s->cap > 0 ? s->text : NULL, cap);
    s->cap = cap;
}

void lz_str_add_n(struct lz_str *s, const char *bytes, size_t len)
{
    if (len == 0)
        return;
    reserve(s, len);
    memcpy(s->text + s->len, bytes, len);
    s->len += len;
    s->text[s->len] = '\0';
    LZ_ASSERT(s->len < s->cap);
}

void lz_str_add(struct lz_str *s, const char *text)
{
    lz_str_add_n(s, text, strlen(text));
}

void lz_str_add_char(struct lz_str *s, char c)
{
    lz_str_add_n(s, &c, 1);
}

void lz_str_add_repeat(struct lz_str *s, const char *text, size_t times)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < times; i++)
        lz_str_add_n(s, text, len);
}

void lz_str_addf(struct lz_str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    lz_str_vaddf(s, fmt, ap);
    va_end(ap);
}

void lz_str_vaddf(struct lz_str *s, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    LZ_ASSERT(len >= 0);
    reserve(s, (size_t)len);
    vsnprintf(s->text + s->len, (size_t)len + 1, fmt, again);
    va_end(again);
    s->len += (size_t)len;
}

char *lz_str_take(struct lz_str *s)
{
    reserve(s, 0); // the caller frees it, so it must not be the constant
    if (s->len == 0)
        s->text[0] = '\0';
    char *text = s->text;
    lz_str_init(s);
    return text;
}

struct range {
    uint32_t first, final;
};

// Combining marks, joiners and variation selectors: drawn upon the character before.
static const struct range narrow[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

// East Asian wide and full-width characters (Unicode annex 11) and emoji.
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2614, 0x2615},
    {0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x274c, 0x274c},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},
    {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].final)
            return true;
    return false;
}

// The code point at *at, which is moved past it. A byte that is not UTF-8 counts as one.
static uint32_t next_point(const unsigned char **at)
{
    const unsigned char *p = *at;
    uint32_t lead = p[0], c = lead;
    size_t more = lead >= 0xf8 || lead < 0xc0 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    *at = p + 1;
    c &= more > 0 ? 0x3fu >> more : 0xffu;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) // also the end of the text
            return lead;
        c = c << 6 | (p[i] & 0x3fu);
    }
    *at = p + 1 + more;
    return c;
}

size_t lz_str_sequence(const char *at, size_t left)
{
    const unsigned char *p = (const unsigned char *)at;
    LZ_ASSERT(left > 0);
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (len == 0 || p[0] > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_half = p[0] == 0xed && p[1] >= 0xa0;
    bool is_beyond = p[0] == 0xf4 && p[1] >= 0x90;
    return is_long || is_half || is_beyond ? 0 : len;
}

void lz_str_make_plain(struct lz_str *s, size_t from)
{
    LZ_ASSERT(from <= s->len);
    size_t to = from;
    for (size_t i = from, len; i < s->len; i += len) {
        const unsigned char *p = (const unsigned char *)s->text + i;
        len = *p >= 0x20 && *p < 0x7f ? 1 : lz_str_sequence(s->text + i, s->len - i);
        bool is_control = (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f ||
                          (len == 2 && *p == 0xc2 && p[1] < 0xa0);
        if (len == 0 || is_control) {
            len += len == 0;
            s->text[to++] = '?';
        } else {
            memmove(s->text + to, s->text + i, len);
            to += len;
        }
    }
    if (to < s->len) {
        s->len = to;
        s->text[to] = '\0';
    }
}

size_t lz_str_width(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t width = 0;
    while (*at != '\0') {
        uint32_t c = next_point(&at);
        if (c < 0x300)
            width++;
        else if (!is_in(c, narrow, sizeof(narrow) / sizeof(narrow[0])))
            width += is_in(c, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
    }
    return width;
}
