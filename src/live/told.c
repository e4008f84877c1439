#include "live/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

#define DIGITS_MAX 18   // below 2^61 by far
#define SEQUENCE_MAX 20 // bits of what follows the milliseconds of an offset of Redis Streams
#define SHOWN 41        // bytes of a word, with its NUL

struct word {
    const char *text;
    size_t size;
};

static bool next_word(const char **at, const char *end, struct word *out)
{
    static const char between[] = " \t\r\n|,;:={}[]()\"'";
    while (*at < end && memchr(between, **at, sizeof(between)) != NULL)
        (*at)++;
    out->text = *at;
    while (*at < end && memchr(between, **at, sizeof(between)) == NULL)
        (*at)++;
    out->size = (size_t)(*at - out->text);
    return out->size > 0;
}

bool lz_told_number(const char *text, size_t size, int64_t *out)
{
    size_t sign = size > 1 && text[0] == '-';
    int64_t number = 0;
    if (size == 0 || size - sign > DIGITS_MAX)
        return false;
    for (size_t i = sign; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *out = sign > 0 ? -number : number;
    return true;
}

// Of what is shown: whether it could command a terminal. U+0080 to U+009F are C2 80 to C2 9F.
static bool is_control(const char *text, size_t i)
{
    unsigned char c = (unsigned char)text[i], before = i > 0 ? (unsigned char)text[i - 1] : 0;
    return c < ' ' || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

void lz_told_excerpt(const char *text, size_t size, char *out, size_t out_size)
{
    LZ_ASSERT(out_size > 0);
    size_t line = 0;
    while (line < size && strchr("\r\n", text[line]) == NULL) // a NUL ends it too
        line++;
    size_t len = line < out_size ? line : out_size - 1;
    while (len > 0 && len < line && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--; // to where a character begins
    for (size_t i = 0; i < len; i++)
        out[i] = is_control(text, i) ? '?' : text[i];
    out[len] = '\0';
}

// ---------------------------------------------------------------- accounts

static size_t count_words(const char *text, size_t size)
{
    const char *at = text;
    struct word word;
    size_t count = 0;
    while (next_word(&at, text + size, &word))
        count++;
    return count;
}

static int by_name(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_account *const *x = a, *const *y = b;
    if ((*x)->size != (*y)->size)
        return (*x)->size < (*y)->size ? -1 : 1;
    return memcmp((*x)->name, (*y)->name, (*x)->size);
}

// Rows with the names of their columns, say: {"id": 1, "balance": 70}. NULL: none is there twice.
static const struct lz_recorder_account *find_twin(const struct lz_recorder_account *all,
                                                   size_t count)
{
    const struct lz_recorder_account **sorted = lz_mem_alloc(count * sizeof(*sorted)), *twin = NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &all[i];
    lz_sort(sorted, count, sizeof(*sorted), by_name, NULL);
    for (size_t i = 1; i < count && twin == NULL; i++)
        if (by_name(&sorted[i - 1], &sorted[i], NULL) == 0)
            twin = sorted[i];
    free(sorted);
    return twin;
}

struct lz_recorder_account *lz_told_accounts(const char *text, size_t size, size_t *count,
                                             char *why, size_t why_size)
{
    static const char total[] = "total";
    size_t words = count_words(text, size);
    const char *at = text, *end = text + size;
    struct word name = {total, sizeof(total) - 1}, amount = {"", 0};
    *count = words == 1 ? 1 : words / 2;
    if (words == 0 || (words > 1 && words % 2 != 0)) {
        snprintf(why, why_size,
                 "it has %zu words: one number, or a name and a number by turns, are understood",
                 words);
        return NULL;
    }
    char shown[SHOWN], of[SHOWN];
    struct lz_recorder_account *all = lz_mem_alloc(*count * sizeof(*all));
    for (size_t i = 0; i < *count; i++) {
        bool has_both = (words == 1 || next_word(&at, end, &name)) && next_word(&at, end, &amount);
        LZ_ASSERT(has_both);
        all[i] = (struct lz_recorder_account){.name = name.text, .size = name.size};
        if (lz_told_number(amount.text, amount.size, &all[i].holds))
            continue;
        lz_told_excerpt(amount.text, amount.size, shown, sizeof(shown));
        lz_told_excerpt(name.text, name.size, of, sizeof(of));
        snprintf(why, why_size, "\"%s\" of %s is no whole number", shown, of);
        free(all);
        return NULL;
    }
    const struct lz_recorder_account *twin = find_twin(all, *count);
    if (twin == NULL)
        return all;
    lz_told_excerpt(twin->name, twin->size, shown, sizeof(shown));
    snprintf(why, why_size, "it names %s twice: a name and a number by turns are understood",
             shown);
    free(all);
    return NULL;
}

// ---------------------------------------------------------------- records

// "17", or "1700000000000-3": milliseconds and a number within them.
static bool read_offset(const struct word *word, uint64_t *out)
{
    const char *dash = memchr(word->text, '-', word->size);
    size_t size = dash != NULL ? (size_t)(dash - word->text) : word->size;
    int64_t first, second = 0;
    if (!lz_told_number(word->text, size, &first))
        return false;
    if (dash != NULL && !lz_told_number(dash + 1, word->size - size - 1, &second))
        return false;
    bool fits = dash == NULL || (first < INT64_C(1) << (63 - SEQUENCE_MAX) && second >= 0 &&
                                 second < INT64_C(1) << SEQUENCE_MAX);
    *out = dash != NULL ? (uint64_t)first << SEQUENCE_MAX | (uint64_t)second : (uint64_t)first;
    return fits;
}

// The first of them, others are left alone; how many there are. `leads`: they begin the text, or
// there are none.
static size_t read_offsets(const char *text, const char *end, bool leads, uint64_t *out, size_t max)
{
    size_t count = 0;
    struct word word;
    while (count < max && next_word(&text, end, &word)) {
        bool is_offset = read_offset(&word, &out[count]);
        if (leads && count == 0 && !is_offset)
            return 0;
        count += is_offset;
    }
    return count;
}

// Of `name` or `name`_id, whatever its letters' case.
static bool is_called(const struct word *word, const char *name)
{
    size_t n = strlen(name);
    bool is_id = word->size == n + 3 && strncasecmp(word->text + n, "_id", 3) == 0;
    return (word->size == n || is_id) && strncasecmp(word->text, name, n) == 0;
}

// What follows the first such name. False: nothing is called so; `*is_good` false: no number is.
static bool read_named(const char *text, const char *end, const char *name, uint64_t *out,
                       bool *is_good)
{
    struct word word;
    while (next_word(&text, end, &word)) {
        if (!is_called(&word, name))
            continue;
        *is_good = next_word(&text, end, &word) && read_offset(&word, out);
        return true;
    }
    return false;
}

static bool make_place(const uint64_t *numbers, size_t count, struct lz_recorder_place *out)
{
    bool has_partition = count > 1;
    *out = (struct lz_recorder_place){.partition = has_partition ? (uint32_t)numbers[0] : 0,
                                      .offset = numbers[has_partition]};
    return !has_partition || numbers[0] <= UINT32_MAX;
}

bool lz_told_place(const char *text, size_t size, struct lz_recorder_place *out)
{
    const char *end = text + size;
    uint64_t numbers[2] = {0, 0};
    bool has_partition = true, has_offset = false;
    if (read_named(text, end, "offset", &numbers[1], &has_offset)) {
        read_named(text, end, "partition", &numbers[0], &has_partition);
        return has_partition && has_offset && make_place(numbers, 2, out);
    }
    size_t count = read_offsets(text, end, false, numbers, 2);
    return count > 0 && make_place(numbers, count, out);
}

struct lz_recorder_told *lz_told_records(const char *text, size_t size, bool is_cut, size_t *count)
{
    const char *end = text + size;
    size_t cap = 1;
    for (size_t i = 0; i < size; i++)
        cap += text[i] == '\n';
    struct lz_recorder_told *all = lz_mem_alloc(cap * sizeof(*all));
    *count = 0;
    for (const char *at = text; at < end;) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        uint64_t numbers[3];
        if (line == NULL && is_cut)
            break;
        size_t found = read_offsets(at, line != NULL ? line : end, true, numbers, 3);
        if (found > 1 && make_place(numbers, found - 1, &all[*count].at))
            all[(*count)++].send = numbers[found - 1];
        at = line != NULL ? line + 1 : end;
    }
    return all;
}
