/*
 * The event queue's order is what makes a run repeatable, so these tests are about order.
 *
 * Method: the wheel and a plain 4-ary heap are given the same random mix of adds, cancels and
 * pops, and must show the same entries; after every few steps the wheel's invariants are
 * checked. Times are drawn on scales from one instant to centuries.
 */
#include "sim/evq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

#define HEAP_MAX (1u << 17)

struct item {
    lz_time at;
    uint64_t rank;
    uint32_t event, gen; // the wheel's handle
    bool is_cancelled;
};

// The oracle: a 4-ary heap of pointers. Cancelled items stay until they surface.
struct heap {
    struct item *items[HEAP_MAX];
    uint32_t count;
};

struct pair {
    struct lz_evq q;
    struct lz_arena *arena;
    struct heap heap;
    struct item all[HEAP_MAX];
    uint32_t added;
    uint64_t newest; // rank so far
    uint64_t draws, key;
    lz_time now;
};

static int make(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &p->arena, &err));
    lz_evq_init(&p->q, p->arena);
    *state = p;
    return 0;
}

static int unmake(void **state)
{
    struct pair *p = *state;
    lz_arena_destroy(p->arena);
    free(p);
    return 0;
}

static bool before(const struct item *a, const struct item *b)
{
    return a->at != b->at ? a->at < b->at : a->rank < b->rank;
}

static void heap_push(struct heap *h, struct item *item)
{
    assert_true(h->count < HEAP_MAX);
    uint32_t i = h->count++;
    for (; i > 0 && before(item, h->items[(i - 1) / 4]); i = (i - 1) / 4)
        h->items[i] = h->items[(i - 1) / 4];
    h->items[i] = item;
}

static void heap_pop(struct heap *h)
{
    struct item *last = h->items[--h->count];
    uint32_t i = 0;
    for (;;) {
        uint32_t best = 4 * i + 1;
        for (uint32_t c = best + 1; c <= 4 * i + 4 && c < h->count; c++)
            if (before(h->items[c], h->items[best]))
                best = c;
        if (best >= h->count || !before(h->items[best], last))
            break;
        h->items[i] = h->items[best];
        i = best;
    }
    h->items[i] = last;
}

static const struct item *heap_peek(struct heap *h)
{
    while (h->count > 0 && h->items[0]->is_cancelled)
        heap_pop(h);
    return h->count > 0 ? h->items[0] : NULL;
}

static uint64_t draw(struct pair *p, uint64_t below)
{
    return lz_hash_mix(p->key, p->draws++) % below;
}

static struct item *add(struct pair *p, lz_time at, uint64_t rank)
{
    assert_true(p->added < HEAP_MAX);
    struct item *item = &p->all[p->added];
    *item = (struct item){.at = at, .rank = rank};
    uint64_t payload = (uint64_t)at ^ rank;
    item->event = rank > p->newest ? lz_evq_add(&p->q, at, rank, p->added, payload)
                                   : lz_evq_add_late(&p->q, at, rank, p->added, payload);
    p->newest = rank > p->newest ? rank : p->newest;
    item->gen = p->q.events[item->event].gen;
    heap_push(&p->heap, item);
    p->added++;
    return item;
}

static void cancel(struct pair *p, struct item *item)
{
    assert_int_equal(lz_evq_cancel(&p->q, item->event, item->gen), !item->is_cancelled);
    item->is_cancelled = true;
}

// Both show the same; then it is taken from both. False if nothing is due by `limit`.
static bool pop(struct pair *p, lz_time limit)
{
    const struct item *want = heap_peek(&p->heap);
    if (want != NULL && want->at > limit)
        want = NULL;
    const struct lz_evq_entry *got = lz_evq_peek(&p->q, limit);
    assert_int_equal(got != NULL, want != NULL);
    if (want == NULL)
        return false;
    assert_int_equal(got->at, want->at);
    p->now = got->at;
    struct lz_evq_event event = lz_evq_take(&p->q);
    assert_int_equal(event.rank, want->rank);
    assert_int_equal(event.payload, (uint64_t)want->at ^ want->rank);
    assert_ptr_equal(&p->all[event.entity], want);
    p->all[event.entity].is_cancelled = true; // no longer pending
    heap_pop(&p->heap);
    return true;
}

static void drain(struct pair *p)
{
    while (pop(p, LZ_FOREVER))
        ;
    assert_int_equal(p->q.live, 0);
    lz_evq_check(&p->q);
}

struct mix {
    const char *name;
    uint64_t spread;  // gaps are below it, of a scale drawn anew if is_scaled
    uint32_t size;    // pending to begin with
    uint32_t cancels; // of 100 steps
    uint32_t old;     // of 100 adds: of a rank older than the rest
    uint32_t bounded; // of 100 pops: only up to a limit near at hand
    bool is_scaled;
};

static const struct mix mixes[] = {
    {"few", 1000000, 3, 10, 0, 10, false},
    {"sixty, about as many as stay sorted", 1000000, 60, 10, 5, 10, false},
    {"as many as need no wheel", 1000000, LZ_EVQ_GATHER - 1, 10, 5, 10, false},
    {"as many as bring it back", 1000000, 2 * LZ_EVQ_GATHER - 1, 10, 5, 10, false},
    {"a thousand", 2000000, 1000, 10, 0, 20, false},
    {"many", 2000000, 20000, 5, 1, 5, false},
    {"forty in a slot", 2000000, 20000, 5, 0, 5, false},
    {"hundreds in a slot", 400000, 20000, 5, 0, 5, false},
    {"hundreds in a slot, some out of turn", 400000, 20000, 5, 3, 5, false},
    {"more in a slot than are counted", 5000, 20000, 5, 3, 5, false},
    {"some thousands in a slot of few instants", 20000, 20000, 5, 0, 5, false},
    {"the same, some out of turn", 20000, 20000, 5, 3, 5, false},
    {"a slot with chunks or two, some out of turn", 400000, 1000, 5, 3, 5, false},
    {"slots far from each other", 1ull << 40, 1000, 5, 3, 5, false},
    {"few instants", 5, 300, 20, 10, 20, false},
    {"one instant", 1, 3000, 20, 1, 0, false},
    {"all scales", 62, 500, 20, 5, 30, true},
    {"mostly cancelled", 1u << 30, 200, 60, 0, 10, false},
    {"empty again and again", 1u << 20, 0, 20, 0, 50, false},
};

static lz_time gap(struct pair *p, const struct mix *mix)
{
    uint64_t spread = mix->is_scaled ? 1ull << draw(p, mix->spread) : mix->spread;
    lz_time most = LZ_FOREVER - p->now;
    lz_time wide = (lz_time)draw(p, spread);
    return wide < most ? wide : most;
}

static void add_some(struct pair *p, const struct mix *mix)
{
    bool is_old = draw(p, 100) < mix->old;
    add(p, p->now + gap(p, mix), is_old ? p->added : p->added + HEAP_MAX);
}

static void step(struct pair *p, const struct mix *mix)
{
    if (p->added > 0 && draw(p, 100) < mix->cancels)
        cancel(p, &p->all[p->added - 1 - draw(p, p->added < 1000 ? p->added : 1000)]);
    if (p->q.live <= mix->size + draw(p, 3))
        add_some(p, mix);
    if (draw(p, 100) >= mix->bounded) {
        pop(p, LZ_FOREVER);
        return;
    }
    lz_time limit = p->now + gap(p, mix) / 2;
    if (!pop(p, limit))
        p->now = limit; // what comes next may be before what the wheel has seen
}

static void a_random_mix_pops_as_from_a_heap(void **state)
{
    struct pair *p = *state;
    for (size_t m = 0; m < sizeof(mixes) / sizeof(mixes[0]); m++) {
        const struct mix *mix = &mixes[m];
        for (p->key = 1; p->key <= 3; p->key++) {
            p->added = 0;
            p->newest = 0;
            p->heap.count = 0;
            p->now = 0;
            p->q = (struct lz_evq){0};
            lz_evq_init(&p->q, p->arena);
            while (p->added < mix->size)
                add_some(p, mix);
            for (uint32_t i = 0; i < 30000 && p->added + 1 < HEAP_MAX; i++) {
                step(p, mix);
                if (i % 512 == 0)
                    lz_evq_check(&p->q);
            }
            drain(p);
        }
    }
}

static bool uses_wheel(const struct pair *p)
{
    return p->q.levels != 0;
}

static void the_wheel_comes_and_goes_with_the_crowd(void **state)
{
    struct pair *p = *state;
    for (uint32_t round = 0; round < 20; round++) {
        while (p->q.live < LZ_EVQ_GATHER)
            add(p, p->now + (lz_time)draw(p, LZ_MS), p->added);
        assert_false(uses_wheel(p));
        while (p->q.live < 5 * LZ_EVQ_GATHER)
            add(p, p->now + (lz_time)draw(p, LZ_MS), p->added);
        assert_true(uses_wheel(p));
        lz_evq_check(&p->q);
        drain(p); // the last slot may have been opened while it was one of a crowd
        assert_false(uses_wheel(p));
        lz_evq_check(&p->q);
    }
}

// A slot of the second level, of 4096 ns, that is not open yet; others are pending far behind it.
static lz_time slot_ahead(struct pair *p)
{
    lz_time block = ((p->now >> 24) + 1) << 24;
    for (uint32_t i = 0; i < 600; i++)
        add(p, i < 300 ? block + i : block + LZ_S, p->added);
    for (uint32_t i = 0; i < 300; i++) // so many that the block is dealt
        assert_true(pop(p, block + i));
    return block + 5 * 4096;
}

static void a_slot_opens_in_order_whatever_it_holds(void **state)
{
    struct pair *p = *state;
    static const struct {
        uint32_t count;
        bool is_dealt; // so many are not sorted at once
    } slots[] = {{8, false},   {16, false},  {17, false},   {32, false},  {33, false},
                 {112, false}, {113, false}, {8190, false}, {8191, true}, {20000, true}};
    for (uint32_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        lz_time slot = slot_ahead(p);
        for (uint32_t j = 0; j < slots[i].count; j++) {
            bool is_old = draw(p, 100) == 0;
            add(p, slot + (lz_time)draw(p, 4096), is_old ? p->added : p->added + HEAP_MAX);
        }
        assert_true(pop(p, slot + 4096));
        uint32_t left = p->q.near_last - p->q.near_first;
        assert_int_equal(left < slots[i].count - 1, slots[i].is_dealt);
        lz_evq_check(&p->q);
        drain(p);
    }
}

// What joins thousands that are sorted moves many of them: soon the wheel has them back.
static void thousands_are_not_added_to_for_long(void **state)
{
    struct pair *p = *state;
    lz_time slot = slot_ahead(p);
    for (uint32_t i = 0; i < 4000; i++)
        add(p, slot + (lz_time)draw(p, 4096), p->added);
    assert_true(pop(p, slot + 4096));
    assert_int_equal(p->q.near_last - p->q.near_first, 3999);
    for (uint32_t i = 0; i < 200; i++)
        add(p, p->now + (lz_time)draw(p, 2048), p->added);
    assert_true(p->q.near_last - p->q.near_first < 1000);
    lz_evq_check(&p->q);
    drain(p);
}

// The same where one leaves for each that joins, so that they never become more.
static void thousands_are_not_added_to_while_as_many_leave(void **state)
{
    struct pair *p = *state;
    lz_time slot = slot_ahead(p);
    for (uint32_t i = 0; i < 4000; i++)
        add(p, slot + (lz_time)draw(p, 4096), p->added);
    for (uint32_t i = 0; i < 200; i++) {
        assert_true(pop(p, slot + 4096));
        add(p, p->now + 50 + (lz_time)draw(p, 2000), p->added);
    }
    assert_true(p->q.near_last - p->q.near_first < 1000);
    lz_evq_check(&p->q);
    drain(p);
}

// From 33 on, and no fewer: only these need the room that counting takes.
static void a_slot_of_the_second_level_is_sorted_by_counting_from_33_on(void **state)
{
    struct pair *p = *state;
    static const uint32_t counts[] = {32, 33};
    for (uint32_t i = 0; i < 2; i++) {
        p->now = 0;
        p->q = (struct lz_evq){0};
        lz_evq_init(&p->q, p->arena);
        lz_time slot = slot_ahead(p);
        for (uint32_t j = 0; j < counts[i]; j++)
            add(p, slot + (lz_time)draw(p, 4096), p->added);
        assert_true(pop(p, slot + 4096));
        assert_int_equal(p->q.near_last - p->q.near_first, counts[i] - 1);
        assert_int_equal(p->q.spare_cap > 0, counts[i] >= 33);
        drain(p);
    }
}

static void what_is_before_an_entry_already_seen_pops_first(void **state)
{
    struct pair *p = *state;
    for (uint32_t i = 0; i < 200; i++) // more than are kept sorted
        add(p, (100 + i) * LZ_S, i);
    for (uint32_t i = 0; i < 20; i++)
        assert_true(pop(p, LZ_FOREVER));
    assert_true(p->q.base > 2 * LZ_S);
    for (uint32_t i = 0; i < 1000; i++) {
        add(p, (lz_time)(i * 7919 % 1000) * LZ_MS, 200 + i);
        lz_evq_check(&p->q);
    }
    drain(p);
}

static void nothing_past_the_limit_is_shown(void **state)
{
    struct pair *p = *state;
    lz_time start = 0;
    for (lz_time scale = 1; scale < LZ_FOREVER / 256; scale *= 64) {
        for (lz_time i = 1; i <= 200; i++)
            add(p, start + i * scale, p->added);
        for (lz_time i = 1; i <= 200; i++) {
            assert_false(pop(p, start + i * scale - 1));
            assert_true(p->q.base < start + i * scale);
            assert_true(pop(p, start + i * scale));
            lz_evq_check(&p->q);
        }
        start += 200 * scale;
        if (start > LZ_FOREVER / 2)
            break;
    }
}

static void a_crowd_at_one_instant_keeps_its_order(void **state)
{
    struct pair *p = *state;
    add(p, 1, 0);
    for (uint64_t i = 1; i <= 100000; i++)
        add(p, LZ_S, i % 1000 == 0 ? i : i + HEAP_MAX); // some ranks are older than their turn
    assert_true(pop(p, 1));
    for (uint64_t i = 0; i < 1000; i++)
        add(p, LZ_S, 3 * HEAP_MAX + i);
    for (uint64_t i = 0; i < 10; i++) {
        assert_true(pop(p, LZ_S));
        add(p, LZ_S, 4 * HEAP_MAX + i); // and joins it while it leaves
    }
    drain(p);
}

static void the_last_instant_can_be_waited_for(void **state)
{
    struct pair *p = *state;
    for (uint64_t i = 0; i < 200; i++)
        add(p, LZ_FOREVER - (lz_time)(i % 3), i);
    assert_false(pop(p, LZ_FOREVER - 3));
    lz_evq_check(&p->q);
    drain(p);
}

// Of a row of a few the places beyond them hold strangers, whose times are of anywhere.
static void a_few_may_be_pending_at_the_last_instant(void **state)
{
    struct pair *p = *state;
    for (lz_time i = 0; i < 200; i++)
        add(p, i < 190 ? i : LZ_FOREVER - 5000 * (200 - i), p->added);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(pop(p, LZ_FOREVER));
    for (lz_time i = 0; i < 150; i++)
        add(p, LZ_FOREVER - 100000 * (i + 20), p->added);
    lz_evq_check(&p->q);
    drain(p);
}

static void a_handle_means_one_event_only(void **state)
{
    struct pair *p = *state;
    struct item *first = add(p, 10, 1);
    cancel(p, first);
    assert_false(lz_evq_cancel(&p->q, first->event, first->gen));
    assert_null(lz_evq_peek(&p->q, LZ_FOREVER));
    struct item *second = add(p, 10, 2);
    assert_int_equal(second->event, first->event); // the same place
    assert_false(lz_evq_cancel(&p->q, first->event, first->gen));
    assert_int_equal(p->q.live, 1);
    assert_true(pop(p, 10));
    assert_false(lz_evq_cancel(&p->q, second->event, second->gen));
}

static void cancelled_entries_do_not_pile_up(void **state)
{
    struct pair *p = *state;
    uint32_t kept[100];
    for (uint32_t i = 0; i < 100; i++)
        kept[i] = lz_evq_add(&p->q, (40 + i) * LZ_S, i, i, 0);
    size_t used = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        uint32_t event = lz_evq_add(&p->q, i + 30 * LZ_S, 100 + i, i, 0);
        assert_true(lz_evq_cancel(&p->q, event, p->q.events[event].gen & 0x7fffffffu));
        if (i == 20000)
            used = lz_arena_used(p->arena);
    }
    lz_evq_check(&p->q);
    assert_int_equal(lz_arena_used(p->arena), used);
    for (uint32_t i = 0; i < 100; i++) {
        const struct lz_evq_entry *e = lz_evq_peek(&p->q, LZ_FOREVER);
        assert_int_equal(e->event, kept[i]);
        assert_int_equal(lz_evq_take(&p->q).entity, i);
    }
    assert_null(lz_evq_peek(&p->q, LZ_FOREVER));
}

static void a_pending_event_takes_about_forty_bytes(void **state)
{
    struct pair *p = *state;
    uint32_t n = (1u << 17) - 1; // the table of events doubles, and is full now
    size_t before_any = lz_arena_used(p->arena);
    for (uint32_t i = 0; i < n; i++)
        lz_evq_add(&p->q, (lz_time)draw(p, 30 * LZ_S), i, i, 0);
    uint64_t chunk_bytes = (uint64_t)p->q.chunk_used * sizeof(struct lz_evq_chunk);
    assert_true(chunk_bytes + n * sizeof(struct lz_evq_event) < 40ull * n);
    assert_true(lz_arena_used(p->arena) - before_any < 60ull * n); // chunks not yet used, too
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        TEST(a_random_mix_pops_as_from_a_heap),
        TEST(the_wheel_comes_and_goes_with_the_crowd),
        TEST(a_slot_opens_in_order_whatever_it_holds),
        TEST(a_slot_of_the_second_level_is_sorted_by_counting_from_33_on),
        TEST(thousands_are_not_added_to_for_long),
        TEST(thousands_are_not_added_to_while_as_many_leave),
        TEST(what_is_before_an_entry_already_seen_pops_first),
        TEST(nothing_past_the_limit_is_shown),
        TEST(a_crowd_at_one_instant_keeps_its_order),
        TEST(the_last_instant_can_be_waited_for),
        TEST(a_few_may_be_pending_at_the_last_instant),
        TEST(a_handle_means_one_event_only),
        TEST(cancelled_entries_do_not_pile_up),
        TEST(a_pending_event_takes_about_forty_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
