#include "live/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define DIGITS_MAX 18   // below 2^61 by far
#define SEQUENCE_MAX 20 // bits of what follows the milliseconds of an offset of Redis Streams

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
    struct lz_recorder_account *all = lz_mem_alloc(*count * sizeof(*all));
    for (size_t i = 0; i < *count; i++) {
        bool has_both = (words == 1 || next_word(&at, end, &name)) && next_word(&at, end, &amount);
        LZ_ASSERT(has_both);
        all[i] = (struct lz_recorder_account){.name = name.text, .size = name.size};
        if (lz_told_number(amount.text, amount.size, &all[i].holds))
            continue;
        snprintf(why, why_size, "\"%.*s\" of %.*s is no whole number",
                 (int)(amount.size < 40 ? amount.size : 40), amount.text,
                 (int)(name.size < 40 ? name.size : 40), name.text);
        free(all);
        return NULL;
    }
    return all;
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

// The first of them, others are left alone; how many there are.
static size_t read_offsets(const char *text, const char *end, uint64_t *out, size_t max)
{
    size_t count = 0;
    struct word word;
    while (count < max && next_word(&text, end, &word))
        count += read_offset(&word, &out[count]);
    return count;
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
    uint64_t numbers[2];
    size_t count = read_offsets(text, text + size, numbers, 2);
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
        size_t found = read_offsets(at, line != NULL ? line : end, numbers, 3);
        if (found > 1 && make_place(numbers, found - 1, &all[*count].at))
            all[(*count)++].send = numbers[found - 1];
        at = line != NULL ? line + 1 : end;
    }
    return all;
}
