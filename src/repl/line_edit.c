#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "repl/line_state.h"

void lz_line_insert(struct lz_line *l, const char *bytes, size_t len)
{
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add_n(&all, l->text.text, l->at);
    lz_str_add_n(&all, bytes, len);
    lz_str_add(&all, l->text.text + l->at);
    lz_str_finish(&l->text);
    l->text = all;
    l->at += len;
}

// What consecutive keys cut is one piece, in the order in which it stood.
static void keep_killed(struct lz_line *l, size_t from, size_t to)
{
    struct lz_str all;
    lz_str_init(&all);
    if (l->was_kill && to <= l->at && from < l->at) {
        lz_str_add_n(&all, l->text.text + from, to - from);
        lz_str_add(&all, l->killed.text);
    } else {
        lz_str_add(&all, l->was_kill ? l->killed.text : "");
        lz_str_add_n(&all, l->text.text + from, to - from);
    }
    lz_str_finish(&l->killed);
    l->killed = all;
    l->kills = true;
}

void lz_line_cut(struct lz_line *l, size_t from, size_t to, bool keep)
{
    LZ_ASSERT(from <= to && to <= l->text.len);
    if (keep && to > from)
        keep_killed(l, from, to);
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add_n(&all, l->text.text, from);
    lz_str_add(&all, l->text.text + to);
    lz_str_finish(&l->text);
    l->text = all;
    l->at = from;
}

void lz_line_set_text(struct lz_line *l, const char *text)
{
    lz_str_clear(&l->text);
    lz_str_add(&l->text, text);
    l->at = l->text.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool lz_line_is_part(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           ((unsigned char)c & 0x80) != 0;
}

size_t lz_line_word_left(const struct lz_line *l)
{
    size_t at = l->at;
    while (at > 0 && !lz_line_is_part(l->text.text[at - 1]))
        at--;
    while (at > 0 && lz_line_is_part(l->text.text[at - 1]))
        at--;
    return at;
}

size_t lz_line_word_right(const struct lz_line *l)
{
    size_t at = l->at;
    while (at < l->text.len && !lz_line_is_part(l->text.text[at]))
        at++;
    while (at < l->text.len && lz_line_is_part(l->text.text[at]))
        at++;
    return at;
}

// As a shell's C-w: up to a blank.
void lz_line_rub_out(struct lz_line *l)
{
    size_t at = l->at;
    while (at > 0 && is_blank(l->text.text[at - 1]))
        at--;
    while (at > 0 && !is_blank(l->text.text[at - 1]))
        at--;
    lz_line_cut(l, at, l->at, true);
}

void lz_line_swap(struct lz_line *l)
{
    size_t at = l->at < l->text.len ? l->at : lz_line_before(&l->text, l->at);
    if (at == 0 || l->text.len == 0)
        return;
    size_t first = lz_line_before(&l->text, at), after = lz_line_after(&l->text, at);
    struct lz_str two;
    lz_str_init(&two);
    lz_str_add_n(&two, l->text.text + at, after - at);
    lz_str_add_n(&two, l->text.text + first, at - first);
    memcpy(l->text.text + first, two.text, two.len);
    lz_str_finish(&two);
    l->at = after;
}

// The word before the cursor, or around it, and the one before that change places.
void lz_line_swap_words(struct lz_line *l)
{
    size_t end = l->at;
    while (end < l->text.len && lz_line_is_part(l->text.text[end]))
        end++;
    while (end > 0 && !lz_line_is_part(l->text.text[end - 1]))
        end--;
    l->at = end;
    size_t second = lz_line_word_left(l);
    l->at = second;
    size_t first = lz_line_word_left(l), first_end = first;
    while (first_end < second && lz_line_is_part(l->text.text[first_end]))
        first_end++;
    l->at = end;
    if (first == second || first_end == first)
        return;
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add_n(&all, l->text.text, first);
    lz_str_add_n(&all, l->text.text + second, end - second);
    lz_str_add_n(&all, l->text.text + first_end, second - first_end);
    lz_str_add_n(&all, l->text.text + first, first_end - first);
    lz_str_add(&all, l->text.text + end);
    lz_str_finish(&l->text);
    l->text = all;
}

// From the cursor to the end of the word; letters beyond ASCII stay as they are.
void lz_line_recase(struct lz_line *l, enum lz_line_case how)
{
    size_t end = lz_line_word_right(l);
    bool is_first = true;
    for (; l->at < end; l->at++) {
        char *c = &l->text.text[l->at];
        bool is_lower = *c >= 'a' && *c <= 'z', is_upper = *c >= 'A' && *c <= 'Z';
        bool to_upper = how == LZ_LINE_UPPER || (how == LZ_LINE_CAPITAL && is_first);
        if (is_lower && to_upper)
            *c = (char)(*c - 'a' + 'A');
        else if (is_upper && !to_upper)
            *c = (char)(*c - 'A' + 'a');
        is_first = is_first && !lz_line_is_part(*c);
    }
}

// ---------------------------------------------------------------- undoing

void lz_line_remember(struct lz_line *l)
{
    if (l->was_count > 0 && strcmp(l->was[l->was_count - 1].text, l->text.text) == 0)
        return;
    if (l->was_count == LZ_LINE_UNDO_MAX) {
        free(l->was[0].text);
        memmove(l->was, l->was + 1, --l->was_count * sizeof(l->was[0]));
    }
    char *text = strdup(l->text.text);
    LZ_ASSERT(text != NULL);
    l->was[l->was_count++] = (struct lz_line_was){text, l->at};
}

void lz_line_undo(struct lz_line *l)
{
    while (l->was_count > 0) {
        struct lz_line_was was = l->was[--l->was_count];
        bool is_other = strcmp(was.text, l->text.text) != 0;
        if (is_other)
            lz_line_set_text(l, was.text);
        if (is_other)
            l->at = was.at;
        free(was.text);
        if (is_other)
            return;
    }
}

void lz_line_forget_undo(struct lz_line *l)
{
    while (l->was_count > 0)
        free(l->was[--l->was_count].text);
}
