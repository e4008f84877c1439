#include <string.h>

#include "repl/line_state.h"

// C-r: the line shown is the latest that contains what is typed; returns the key that ended it.
int lz_line_search(struct lz_line *l)
{
    struct lz_str wanted, prompt, before;
    const char *own = l->prompt;
    lz_str_init(&wanted);
    lz_str_init(&prompt);
    lz_str_init(&before);
    lz_str_add(&before, l->text.text);
    size_t from = l->past_count, found = l->past_count;
    int key;
    for (;;) {
        lz_str_clear(&prompt);
        bool is_failing = wanted.len > 0 && found == l->past_count;
        lz_str_addf(&prompt, "(%ssearch `%s') ", is_failing ? "failing " : "", wanted.text);
        l->prompt = prompt.text;
        lz_str_clear(&l->hint);
        lz_line_show(l);
        key = lz_line_read_key(l);
        if (key == LZ_LINE_CONTROL('r')) {
            from = found < l->past_count ? found : l->past_count;
        } else if ((key == 0x7f || key == LZ_LINE_CONTROL('h')) && wanted.len > 0) {
            wanted.text[lz_line_before(&wanted, wanted.len)] = '\0';
            wanted.len = strlen(wanted.text);
            from = l->past_count;
        } else if (key >= ' ' && key < 256 && key != 0x7f) {
            lz_str_add_char(&wanted, (char)key);
            from = l->past_count;
        } else {
            break;
        }
        found = lz_line_past_find(l, from, wanted.text, false);
        // The same line once more is nothing new.
        while (found < l->past_count && from < l->past_count &&
               strcmp(l->past[found], l->past[from]) == 0)
            found = lz_line_past_find(l, found, wanted.text, false);
        if (found < l->past_count)
            lz_line_set_text(l, l->past[found]);
    }
    l->prompt = own;
    if (key == LZ_LINE_CONTROL('g'))
        lz_line_set_text(l, before.text);
    lz_str_finish(&before);
    lz_str_finish(&wanted);
    lz_str_finish(&prompt);
    return key == LZ_LINE_CONTROL('g') ? LZ_KEY_NONE : key;
}

// What a terminal would obey, were it shown.
static void drop_controls(struct lz_str *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->text[i];
        if (c >= ' ' ? c != 0x7f : c == '\n')
            text->text[n++] = (char)c;
    }
    text->text[text->len = n] = '\0';
}

// Up to ESC [ 201 ~. The first line is typed, those after it wait to be read.
void lz_line_paste(struct lz_line *l)
{
    static const char end[] = "\x1b[201~";
    struct lz_str all;
    lz_str_init(&all);
    int c;
    while ((c = lz_line_read_byte(l)) != LZ_KEY_END_OF_INPUT) {
        if (c >= 256)
            continue;
        lz_str_add_char(&all, (char)(c == '\r' ? '\n' : c == '\t' ? ' ' : c));
        size_t n = sizeof(end) - 1;
        if (all.len >= n && memcmp(all.text + all.len - n, end, n) == 0) {
            all.text[all.len -= n] = '\0';
            break;
        }
    }
    drop_controls(&all);
    size_t first = strcspn(all.text, "\n");
    lz_line_insert(l, all.text, first);
    if (all.text[first] == '\n')
        lz_str_add(&l->pending, all.text + first);
    lz_str_finish(&all);
}

// A line that was pasted behind another; false if none waits, or the last is still without its end.
bool lz_line_take_pending(struct lz_line *l)
{
    if (l->pending.len == 0)
        return false;
    const char *line = l->pending.text + 1; // after its newline
    size_t n = strcspn(line, "\n");
    lz_str_clear(&l->text);
    lz_str_add_n(&l->text, line, n);
    l->at = l->text.len;
    struct lz_str rest;
    lz_str_init(&rest);
    lz_str_add(&rest, line + n);
    lz_str_finish(&l->pending);
    l->pending = rest;
    return true;
}
