#include <stdio.h>
#include <string.h>

#include "repl/line_state.h"

#define LIST_MAX 60

static void ask(const struct lz_line *l, struct lz_str *out)
{
    struct lz_str before;
    lz_str_init(&before);
    lz_str_add_n(&before, l->text.text, l->at);
    if (l->opts.complete != NULL)
        l->opts.complete(l->opts.ctx, before.text, out);
    lz_str_finish(&before);
}

// What all candidates begin with, in bytes; and how many there are.
static size_t common(const char *list, size_t *count)
{
    size_t len = strcspn(list, "\n");
    *count = 0;
    for (const char *one = list; *one != '\0'; one += one[0] == '\n') {
        size_t n = strcspn(one, "\n"), same = 0;
        while (same < n && same < len && one[same] == list[same])
            same++;
        len = same;
        (*count)++;
        one += n;
    }
    return len;
}

static void list_all(struct lz_line *l, const char *list, size_t skip)
{
    size_t columns = (size_t)lz_line_columns(l), used = 0, shown = 0;
    lz_line_leave_row(l);
    for (const char *one = list; *one != '\0';) {
        size_t n = strcspn(one, "\n");
        char cell[128];
        size_t width = n > skip ? n - skip : 0;
        snprintf(cell, sizeof(cell), "%.*s  ", (int)(width < 100 ? width : 100), one + skip);
        if (used > 0 && used + strlen(cell) > columns) {
            lz_line_put(l, "\r\n");
            used = 0;
        }
        if (shown++ == LIST_MAX) {
            lz_line_put(l, "...");
            break;
        }
        lz_line_put(l, cell);
        used += strlen(cell);
        one += n + (one[n] == '\n');
    }
    lz_line_put(l, "\r\n");
}

void lz_line_complete(struct lz_line *l)
{
    struct lz_str list;
    lz_str_init(&list);
    ask(l, &list);
    size_t count = 0, len = common(list.text, &count);
    if (count > 0 && len > l->at) {
        size_t typed = l->at;
        struct lz_str more;
        lz_str_init(&more);
        lz_str_add_n(&more, list.text + typed, len - typed);
        lz_line_insert(l, more.text, more.len);
        lz_str_finish(&more);
    } else if (count > 1 && l->last_key == '\t') {
        size_t skip = l->at;
        while (skip > 0 && lz_line_is_part(l->text.text[skip - 1]))
            skip--;
        list_all(l, list.text, skip);
    }
    lz_str_finish(&list);
}

// In grey: the only completion, or how the latest line that began so went on.
void lz_line_make_hint(struct lz_line *l)
{
    lz_str_clear(&l->hint);
    // What is not told apart by its colour would be taken for typed.
    if (!l->opts.colour || l->at < l->text.len || l->text.len == 0)
        return;
    struct lz_str list;
    size_t count = 0;
    lz_str_init(&list);
    ask(l, &list);
    size_t len = common(list.text, &count);
    size_t i = lz_line_past_find(l, l->past_count, l->text.text, true);
    if (count == 1 && len > l->at)
        lz_str_add_n(&l->hint, list.text + l->at, len - l->at);
    else if (i < l->past_count && strlen(l->past[i]) > l->text.len)
        lz_str_add(&l->hint, l->past[i] + l->text.len);
    lz_str_finish(&list);
}

bool lz_line_take_hint(struct lz_line *l)
{
    if (l->hint.len == 0 || l->at < l->text.len)
        return false;
    lz_line_insert(l, l->hint.text, l->hint.len);
    return true;
}
