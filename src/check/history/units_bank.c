#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/units.h"

/*
 * Accounts: transactions move what they hold between them, so that all of them add up to the same
 * whenever a transaction reads them all. An account is a key that held something once; in SQL a row
 * of one table, and what it holds one column. Nothing counts as 0, so that what is opened later
 * changes the total, as it should not; reads from before anything was there are left out.
 *
 * A real client is told all accounts at once: one that is not in an answer holds nothing.
 */

struct bank {
    const struct lz_units *u;
    const struct lz_world *w;
    const char *column; // "accounts.balance"; NULL: every key is an account
    uint64_t *keys;     // of accounts, ascending
    uint32_t count;
};

static bool is_of_column(const struct bank *b, uint64_t key)
{
    size_t len;
    if (b->column == NULL || !b->u->r->has_names)
        return true;
    const char *name = lz_value_to_text(b->w, key, &len);
    const char *dot = strrchr(b->column, '.'), *open = strchr(name, '['),
               *close = strrchr(name, ']');
    if (dot == NULL || open == NULL || close == NULL || close[1] != '.')
        return false;
    size_t table = (size_t)(dot - b->column);
    return (size_t)(open - name) == table && memcmp(name, b->column, table) == 0 &&
           strcmp(close + 2, dot + 1) == 0;
}

static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static lz_value held(const struct lz_recorder_step *s)
{
    return s->f == LZ_RECORDER_STEP_APPEND ? s->whole : s->value;
}

static void find_accounts(struct bank *b)
{
    const struct lz_units *u = b->u;
    b->keys = lz_mem_alloc((u->step_count + 1) * sizeof(*b->keys));
    for (uint32_t i = 0; i < u->count; i++)
        for (uint32_t k = 0; u->all[i].outcome != LZ_RECORDER_FAIL && k < u->all[i].count; k++) {
            const struct lz_recorder_step *s = &u->steps[u->all[i].first + k];
            if (held(s) != 0 && is_of_column(b, s->key))
                b->keys[b->count++] = s->key;
        }
    lz_sort(b->keys, b->count, sizeof(*b->keys), by_number, NULL);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++)
        if (i == 0 || b->keys[i] != b->keys[i - 1])
            b->keys[kept++] = b->keys[i];
    b->count = kept;
}

// Its place among the accounts; UINT32_MAX: it is none.
static uint32_t place_of(const struct bank *b, uint64_t key)
{
    uint32_t low = 0, high = b->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (b->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->count && b->keys[low] == key ? low : UINT32_MAX;
}

// What a unit read of each account before it wrote there. False: not of all, or of nothing yet.
static bool reads_all(const struct bank *b, const struct lz_units_one *unit,
                      const struct lz_recorder_step **seen)
{
    uint32_t count = 0;
    bool is_any = false;
    memset(seen, 0, b->count * sizeof(*seen));
    if (unit->outcome != LZ_RECORDER_OK || unit->is_initial)
        return false;
    for (uint32_t k = 0; k < unit->count; k++) {
        const struct lz_recorder_step *s = &b->u->steps[unit->first + k];
        uint32_t at = place_of(b, s->key);
        if (at == UINT32_MAX || seen[at] != NULL)
            continue;
        if (s->f != LZ_RECORDER_STEP_READ)
            return false; // it could not see what it has replaced
        seen[at] = s;
        is_any = is_any || s->value != 0;
        count++;
    }
    return (count == b->count || b->u->r->is_real) && is_any;
}

uint32_t lz_units_bank(const struct lz_units *u, const struct lz_world *w, const char *column,
                       struct lz_history *h)
{
    struct bank b = {.u = u, .w = w, .column = column};
    find_accounts(&b);
    const struct lz_recorder_step **seen = lz_mem_alloc((b.count + 1) * sizeof(*seen));
    for (uint32_t i = 0; b.count > 0 && i < u->count; i++) {
        if (!reads_all(&b, &u->all[i], seen))
            continue;
        struct lz_history_op *op = lz_history_add(h, u->all[i].process, (int64_t)u->all[i].begin);
        op->end = (int64_t)u->all[i].end;
        op->outcome = LZ_HISTORY_OK;
        uint32_t at = h->op_count - 1;
        for (uint32_t k = 0; k < b.count; k++) {
            lz_atom key = lz_units_key(h, w, u->r, b.keys[k]);
            lz_value held = seen[k] != NULL ? seen[k]->value : 0;
            lz_atom value = held != 0 ? lz_units_value(h, w, held) : lz_history_integer(h, 0);
            struct lz_history_part *p = lz_history_add_part(h, &h->ops[at], LZ_HISTORY_READ);
            p->key = key;
            p->value = value;
            p->is_known = true;
        }
    }
    h->events = 2 * h->op_count;
    free(seen);
    free(b.keys);
    return b.count;
}

// ---- what the servers know

// A unit's last write to an account.
struct move {
    const struct lz_recorder_step *step;
    uint32_t unit, account;
};

static int by_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct move *x = a, *y = b;
    if (x->step->version != y->step->version)
        return x->step->version < y->step->version ? -1 : 1;
    return (x->account > y->account) - (x->account < y->account);
}

static bool is_last(const struct lz_units *u, const struct lz_units_one *unit, uint32_t at)
{
    for (uint32_t k = at + 1; k < unit->count; k++)
        if (u->steps[unit->first + k].key == u->steps[unit->first + at].key &&
            u->steps[unit->first + k].f != LZ_RECORDER_STEP_READ)
            return false;
    return true;
}

// False: something is not told, or is no number.
static bool collect(const struct bank *b, struct move *out, uint32_t *count)
{
    const struct lz_units *u = b->u;
    for (uint32_t i = 0; i < u->count; i++) {
        const struct lz_units_one *unit = &u->all[i];
        for (uint32_t k = 0; unit->outcome != LZ_RECORDER_FAIL && k < unit->count; k++) {
            const struct lz_recorder_step *s = &u->steps[unit->first + k];
            uint32_t at = place_of(b, s->key);
            if (at == UINT32_MAX || s->f == LZ_RECORDER_STEP_READ || !is_last(u, unit, k))
                continue;
            if (!s->has_version || unit->is_repeated ||
                (held(s) != 0 && lz_value_kind(held(s)) != LZ_VALUE_INTEGER))
                return false;
            out[(*count)++] = (struct move){s, i, at};
        }
    }
    lz_sort(out, *count, sizeof(*out), by_version, NULL);
    return !u->has_unknown && !u->r->is_rewound;
}

static int64_t amount(lz_value v)
{
    return lz_value_kind(v) == LZ_VALUE_INTEGER ? lz_value_to_integer(v) : 0;
}

// Commits are whole, one after another, and from the first on leave the total as it is.
static bool keeps_total(const struct bank *b, const struct move *all, uint32_t count)
{
    int64_t *now = lz_mem_alloc((b->count + 1) * sizeof(*now)), total = 0, first_total = 0;
    bool *is_over = lz_mem_alloc((b->u->count + 1) * sizeof(*is_over)), keeps = true;
    memset(now, 0, (b->count + 1) * sizeof(*now));
    memset(is_over, 0, b->u->count + 1);
    for (uint32_t first = 0, end; first < count && keeps; first = end) {
        for (end = first; end < count && all[end].unit == all[first].unit; end++) {
            total += amount(held(all[end].step)) - now[all[end].account];
            now[all[end].account] = amount(held(all[end].step));
        }
        first_total = first == 0 ? total : first_total;
        keeps = !is_over[all[first].unit] && total == first_total;
        is_over[all[first].unit] = true;
    }
    free(is_over);
    free(now);
    return keeps;
}

// Is there a commit after which all was as it was seen?
static bool is_snapshot(const struct lz_recorder_step *const *seen, const struct move *all,
                        uint32_t count, const struct bank *b)
{
    uint64_t low = 0, high = UINT64_MAX;
    for (uint32_t k = 0; k < b->count; k++) {
        if (seen[k] == NULL || !seen[k]->has_version)
            return false;
        low = seen[k]->version > low ? seen[k]->version : low;
    }
    uint32_t known = 0;
    for (uint32_t k = 0; k < b->count; k++)
        known += seen[k]->version == 0 && seen[k]->value == 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_step *s = seen[all[i].account];
        known += all[i].step->version == s->version && held(all[i].step) == s->value;
        if (all[i].step->version > s->version && all[i].step->version < high)
            high = all[i].step->version;
    }
    for (uint32_t i = 0; i < count; i++) // whose last is the newest that was seen, is seen whole
        if (all[i].step->version == low)
            for (uint32_t k = 0; k < count; k++)
                if (all[k].unit == all[i].unit && all[k].step->version > low)
                    low = all[k].step->version;
    return known == b->count && low < high;
}

#define LOOKED_AT_MAX 1000000000u // writes, for each transaction

enum lz_judge_white lz_units_bank_judge(const struct lz_units *u, const struct lz_world *w,
                                        const char *column)
{
    struct bank b = {.u = u, .w = w, .column = column};
    uint32_t count = 0;
    find_accounts(&b);
    struct move *all = lz_mem_alloc((u->step_count + 1) * sizeof(*all));
    const struct lz_recorder_step **seen = lz_mem_alloc((b.count + 1) * sizeof(*seen));
    bool is_proven = collect(&b, all, &count) && keeps_total(&b, all, count) &&
                     (uint64_t)u->count * count <= LOOKED_AT_MAX;
    for (uint32_t i = 0; i < u->count && is_proven; i++)
        if (reads_all(&b, &u->all[i], seen))
            is_proven = is_snapshot(seen, all, count, &b);
    free(seen);
    free(all);
    free(b.keys);
    return is_proven ? LZ_JUDGE_PROVEN : LZ_JUDGE_NOT_TOLD;
}
