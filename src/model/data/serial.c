#include "model/data/serial.h"

#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

struct one {
    struct lz_pool_head head;
    uint64_t began, committed; // of `now`; committed 0: active
    uint32_t prev, next;
    uint32_t marks; // a list by `sibling`
    uint32_t in, out;
    uint64_t
        out_committed; // the first commit of those forgotten that it had a conflict to; 0: none
    bool is_doomed;
};

struct mark {
    struct lz_pool_head head;
    uint64_t key;
    uint32_t one;
    uint32_t older, newer; // of the same key
    uint32_t sibling;      // of the same transaction
    bool reads, writes;
};

// `from` read what was there before `to` wrote.
struct conflict {
    struct lz_pool_head head;
    uint32_t from, to;
    uint32_t out_next, in_next; // of `from`, of `to`
};

#define CAP_FIRST 64u

void lz_serial_init(struct lz_serial *s, struct lz_arena *arena)
{
    *s = (struct lz_serial){0};
    lz_pool_init(&s->all, arena, sizeof(struct one));
    lz_pool_init(&s->marks, arena, sizeof(struct mark));
    lz_pool_init(&s->conflicts, arena, sizeof(struct conflict));
}

static struct one *one_at(const struct lz_serial *s, uint32_t i)
{
    LZ_ASSERT(i != 0);
    return lz_pool_at(&s->all, i);
}

static struct mark *mark_at(const struct lz_serial *s, uint32_t i)
{
    return lz_pool_at(&s->marks, i);
}

static struct conflict *conflict_at(const struct lz_serial *s, uint32_t i)
{
    return lz_pool_at(&s->conflicts, i);
}

// ---------------------------------------------------------------- marks

static uint32_t home_of(const struct lz_serial *s, uint64_t key)
{
    return (uint32_t)lz_hash_mix(key, 5) & (s->cap - 1);
}

static uint32_t place_of(const struct lz_serial *s, uint64_t key)
{
    uint32_t i = home_of(s, key);
    while (s->table[i] != 0 && mark_at(s, s->table[i])->key != key)
        i = (i + 1) & (s->cap - 1);
    return i;
}

static void widen(struct lz_serial *s)
{
    uint32_t old_cap = s->cap, *old = s->table;
    s->cap = old_cap > 0 ? 2 * old_cap : CAP_FIRST;
    s->table = lz_arena_alloc(s->marks.arena, s->cap * sizeof(*s->table));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i] != 0)
            s->table[place_of(s, mark_at(s, old[i])->key)] = old[i];
    lz_arena_free(s->marks.arena, old, old_cap * sizeof(*old));
}

// Those behind move up, so that no gap hides them (Knuth, TAOCP 3, 6.4, algorithm R).
static void close_gap(struct lz_serial *s, uint32_t gap)
{
    for (uint32_t i = (gap + 1) & (s->cap - 1); s->table[i] != 0; i = (i + 1) & (s->cap - 1)) {
        uint32_t home = home_of(s, mark_at(s, s->table[i])->key);
        if (((i - home) & (s->cap - 1)) < ((i - gap) & (s->cap - 1)))
            continue;
        s->table[gap] = s->table[i];
        gap = i;
    }
    s->table[gap] = 0;
    s->count--;
}

static struct mark *mark_for(struct lz_serial *s, uint32_t me, uint64_t key)
{
    if (4 * (s->count + 1) > 3 * s->cap)
        widen(s);
    uint32_t place = place_of(s, key);
    for (uint32_t i = s->table[place]; i != 0; i = mark_at(s, i)->older)
        if (mark_at(s, i)->one == me)
            return mark_at(s, i);
    struct mark *m = lz_pool_take_sized(&s->marks, sizeof(*m));
    m->key = key;
    m->one = me;
    m->older = s->table[place];
    if (m->older != 0)
        mark_at(s, m->older)->newer = m->head.index;
    else
        s->count++;
    s->table[place] = m->head.index;
    m->sibling = one_at(s, me)->marks;
    one_at(s, me)->marks = m->head.index;
    return m;
}

static void remove_mark(struct lz_serial *s, struct mark *m)
{
    if (m->older != 0)
        mark_at(s, m->older)->newer = m->newer;
    if (m->newer != 0) {
        mark_at(s, m->newer)->older = m->older;
    } else {
        uint32_t place = place_of(s, m->key);
        if (m->older != 0)
            s->table[place] = m->older;
        else
            close_gap(s, place);
    }
    lz_pool_give(&s->marks, m);
}

// ---------------------------------------------------------------- conflicts

static bool is_active(const struct one *o)
{
    return o->committed == 0;
}

// Has `first` committed, and before `other` did or will?
static bool commits_before(const struct one *first, const struct one *other)
{
    return !is_active(first) &&
           (first == other || is_active(other) || first->committed < other->committed);
}

static void doom(struct one *pivot, struct one *other)
{
    struct one *victim = is_active(pivot) ? pivot : other;
    LZ_ASSERT(is_active(victim));
    victim->is_doomed = true;
}

static void look_for_danger(struct lz_serial *s, struct one *from, struct one *to)
{
    for (uint32_t i = to->out; i != 0; i = conflict_at(s, i)->out_next) {
        const struct one *last = one_at(s, conflict_at(s, i)->to);
        if (commits_before(last, to) && commits_before(last, from))
            doom(to, from);
    }
    // As above, of one that is forgotten: whoever still runs began after it had committed, but
    // `to` ran beside it (PostgreSQL's earliestOutConflictCommit).
    if (to->out_committed != 0 && (is_active(to) || to->out_committed < to->committed) &&
        (is_active(from) || to->out_committed < from->committed))
        doom(to, from);
    for (uint32_t i = from->in; i != 0; i = conflict_at(s, i)->in_next) {
        struct one *head = one_at(s, conflict_at(s, i)->from);
        if (commits_before(to, from) && commits_before(to, head))
            doom(from, head);
    }
}

static void add_conflict(struct lz_serial *s, uint32_t from, uint32_t to)
{
    struct one *f = one_at(s, from), *t = one_at(s, to);
    for (uint32_t i = f->out; i != 0; i = conflict_at(s, i)->out_next)
        if (conflict_at(s, i)->to == to)
            return;
    struct conflict *c = lz_pool_take_sized(&s->conflicts, sizeof(*c));
    c->from = from;
    c->to = to;
    c->out_next = f->out;
    f->out = c->head.index;
    c->in_next = t->in;
    t->in = c->head.index;
    look_for_danger(s, f, t);
}

static void unlink_out(struct lz_serial *s, const struct conflict *c)
{
    uint32_t *link = &one_at(s, c->from)->out;
    while (*link != c->head.index)
        link = &conflict_at(s, *link)->out_next;
    *link = c->out_next;
}

static void unlink_in(struct lz_serial *s, const struct conflict *c)
{
    uint32_t *link = &one_at(s, c->to)->in;
    while (*link != c->head.index)
        link = &conflict_at(s, *link)->in_next;
    *link = c->in_next;
}

static void remove_one(struct lz_serial *s, struct one *o)
{
    while (o->marks != 0) {
        struct mark *m = mark_at(s, o->marks);
        o->marks = m->sibling;
        remove_mark(s, m);
    }
    for (uint32_t i = o->in; i != 0 && !is_active(o); i = conflict_at(s, i)->in_next) {
        struct one *from = one_at(s, conflict_at(s, i)->from);
        if (from->out_committed == 0 || o->committed < from->out_committed)
            from->out_committed = o->committed;
    }
    while (o->out != 0 || o->in != 0) {
        struct conflict *c = conflict_at(s, o->out != 0 ? o->out : o->in);
        unlink_out(s, c);
        unlink_in(s, c);
        lz_pool_give(&s->conflicts, c);
    }
    if (o->prev != 0)
        one_at(s, o->prev)->next = o->next;
    else
        s->first = o->next;
    if (o->next != 0)
        one_at(s, o->next)->prev = o->prev;
    else
        s->last = o->prev;
    lz_pool_give(&s->all, o);
}

// The commits that a snapshot taken now would see.
static uint64_t seen(const struct lz_serial *s)
{
    return s->hidden_count > 0 ? s->hidden[0].commit - 1 : s->now;
}

// Who committed before all that are active began, or will, has run beside none of them.
static void forget_past(struct lz_serial *s)
{
    uint64_t oldest = seen(s);
    for (uint32_t i = s->first; i != 0; i = one_at(s, i)->next)
        if (is_active(one_at(s, i))) { // the first that began
            if (one_at(s, i)->began < oldest)
                oldest = one_at(s, i)->began;
            break;
        }
    for (uint32_t i = s->first, next; i != 0; i = next) {
        struct one *o = one_at(s, i);
        next = o->next;
        if (!is_active(o) && o->committed <= oldest)
            remove_one(s, o);
    }
}

uint32_t lz_serial_begin(struct lz_serial *s)
{
    struct one *o = lz_pool_take_sized(&s->all, sizeof(*o));
    o->began = seen(s);
    o->prev = s->last;
    if (s->last != 0)
        one_at(s, s->last)->next = o->head.index;
    else
        s->first = o->head.index;
    s->last = o->head.index;
    return o->head.index;
}

static bool is_beside(const struct one *me, const struct one *other)
{
    return me != other && (is_active(other) || other->committed > me->began);
}

bool lz_serial_read(struct lz_serial *s, uint32_t me, uint64_t key)
{
    const struct one *o = one_at(s, me);
    struct mark *m = mark_for(s, me, key);
    m->reads = true;
    for (uint32_t i = s->table[place_of(s, key)]; i != 0; i = mark_at(s, i)->older)
        if (mark_at(s, i)->writes && is_beside(o, one_at(s, mark_at(s, i)->one)))
            add_conflict(s, me, mark_at(s, i)->one);
    return !o->is_doomed;
}

bool lz_serial_write(struct lz_serial *s, uint32_t me, uint64_t key)
{
    const struct one *o = one_at(s, me);
    struct mark *m = mark_for(s, me, key);
    m->writes = true;
    for (uint32_t i = s->table[place_of(s, key)]; i != 0; i = mark_at(s, i)->older)
        if (mark_at(s, i)->reads && is_beside(o, one_at(s, mark_at(s, i)->one)))
            add_conflict(s, mark_at(s, i)->one, me);
    return !o->is_doomed;
}

// It commits first of a structure whose other two are still active: the pivot cannot.
static void doom_pivots(struct lz_serial *s, const struct one *o)
{
    for (uint32_t i = o->in; i != 0; i = conflict_at(s, i)->in_next) {
        struct one *pivot = one_at(s, conflict_at(s, i)->from);
        if (!is_active(pivot))
            continue;
        for (uint32_t k = pivot->in; k != 0; k = conflict_at(s, k)->in_next)
            if (is_active(one_at(s, conflict_at(s, k)->from)))
                pivot->is_doomed = true;
    }
}

static void hide(struct lz_serial *s, uint64_t lsn)
{
    LZ_ASSERT(s->hidden_count == 0 || s->hidden[s->hidden_count - 1].lsn <= lsn);
    s->hidden =
        lz_grow(s->marks.arena, s->hidden, &s->hidden_cap, s->hidden_count + 1, sizeof(*s->hidden));
    s->hidden[s->hidden_count++] = (struct lz_serial_hidden){.commit = s->now, .lsn = lsn};
}

bool lz_serial_commit(struct lz_serial *s, uint32_t me, uint64_t hidden)
{
    struct one *o = one_at(s, me);
    LZ_ASSERT(is_active(o));
    if (o->is_doomed)
        return false;
    doom_pivots(s, o);
    o->committed = ++s->now;
    if (hidden != 0)
        hide(s, hidden);
    forget_past(s);
    return true;
}

void lz_serial_show(struct lz_serial *s, uint64_t lsn)
{
    uint32_t n = 0;
    while (n < s->hidden_count && s->hidden[n].lsn <= lsn)
        n++;
    if (n == 0)
        return;
    s->hidden_count -= n;
    memmove(s->hidden, &s->hidden[n], s->hidden_count * sizeof(*s->hidden));
    forget_past(s);
}

void lz_serial_abort(struct lz_serial *s, uint32_t me)
{
    LZ_ASSERT(is_active(one_at(s, me)));
    remove_one(s, one_at(s, me));
    forget_past(s);
}

size_t lz_serial_bytes(const struct lz_serial *s)
{
    return lz_pool_bytes(&s->all) + lz_pool_bytes(&s->marks) + lz_pool_bytes(&s->conflicts) +
           (size_t)s->cap * sizeof(*s->table);
}
