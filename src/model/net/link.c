#include "model/net/link.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/net/link_state.h"
#include "model/node/instance.h"

bool lz_link_end_has(const struct lz_world *w, const struct lz_link_end *end, lz_instance_id i)
{
    if (end->list != NULL) {
        for (uint32_t at = 0; at < end->count; at++)
            if (end->list[at] == i)
                return true;
        return false;
    }
    return end->target == NULL || lz_target_has(w, end->target, i);
}

enum way { NOT, FORTH, BACK };

static enum way way_of(const struct lz_world *w, const struct lz_link_end *from,
                       const struct lz_link_end *to, bool both_ways, uint64_t key)
{
    lz_instance_id a = (lz_instance_id)(key >> 32), b = (lz_instance_id)key;
    if (lz_link_end_has(w, from, a) && lz_link_end_has(w, to, b))
        return FORTH;
    return both_ways && lz_link_end_has(w, from, b) && lz_link_end_has(w, to, a) ? BACK : NOT;
}

void lz_links_init(struct lz_world *w)
{
    struct lz_links *ls = lz_arena_alloc(w->arena, sizeof(*ls));
    ls->face.epoch = 1;
    ls->cap = 64;
    ls->table = lz_arena_alloc(w->arena, ls->cap * sizeof(*ls->table));
    w->links = ls;
}

void lz_link_recompose(struct lz_world *w)
{
    w->links->face.epoch++;
    w->ways++;
}

static bool check_share(const char *what, const struct lz_loss *loss, struct lz_err *err)
{
    return lz_loss_check(loss, err) || lz_fail_in(err, "%s", what);
}

bool lz_link_check(const struct lz_link_conditions *c, struct lz_err *err)
{
    if (!check_share("loss", &c->loss, err) || !check_share("corrupt", &c->corrupt, err) ||
        !check_share("duplicate", &c->duplicate, err) || !check_share("reorder", &c->reorder, err))
        return false;
    if (!(c->latency_correlation >= 0.0 && c->latency_correlation <= 1.0))
        return lz_fail(err, LZ_ERANGE, "correlation must be between 0 and 1, got %g",
                       c->latency_correlation);
    if (c->gap < 0 || c->piece_delay < 0)
        return lz_fail(err, LZ_ERANGE, "gap and delay must not be negative");
    if (c->rate != 0.0 && !(c->rate >= LZ_PIPE_RATE_MIN && c->rate <= LZ_PIPE_RATE_MAX))
        return lz_fail(
            err, LZ_ERANGE,
            "a bandwidth must be between 8 bit/s and 8e15 bit/s, got %g bit/s: to cut the "
            "way altogether, use fault.partition",
            8.0 * c->rate);
    if (!(c->buffer >= 0.0))
        return lz_fail(err, LZ_ERANGE, "buffer must not be negative, got %g bytes", c->buffer);
    if (!(c->piece >= 0.0))
        return lz_fail(err, LZ_ERANGE, "size must not be negative, got %g bytes", c->piece);
    return true;
}

// The declared link's draws are its own by what it is between, not by its place in the file.
static uint64_t path_between(const struct lz_world *w, const struct lz_target *a,
                             const struct lz_target *b)
{
    char name[LZ_TARGET_TEXT_SIZE];
    lz_target_describe(w, a, name, sizeof(name));
    uint64_t path = lz_draw_name(lz_draw_name(0, "link"), name);
    lz_target_describe(w, b, name, sizeof(name));
    return lz_draw_name(path, name);
}

// A slot of what may be passed; declared links stay for ever.
static struct lz_link_cause *new_cause(struct lz_world *w)
{
    struct lz_links *ls = w->links;
    uint32_t slot = ls->declared_count;
    while (slot < ls->cause_count && ls->causes[slot]->is_active)
        slot++;
    if (slot == ls->cause_count) {
        ls->causes = lz_grow(w->arena, ls->causes, &ls->cause_cap, slot + 1, sizeof(*ls->causes));
        ls->causes[slot] = lz_arena_alloc(w->arena, sizeof(**ls->causes));
        ls->cause_count++;
    }
    struct lz_link_cause *c = ls->causes[slot];
    *c = (struct lz_link_cause){.is_active = true, .serial = ++ls->serials, .slot = slot};
    lz_link_recompose(w);
    return c;
}

bool lz_link_declare(struct lz_world *w, const struct lz_link_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_links *ls = w->links;
    LZ_ASSERT(ls->declared_count == ls->cause_count); // before any fault
    if (!lz_link_check(&opts->conditions, err))
        return false;
    if (ls->declared_count == LZ_LINK_DECLARED_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d links may be declared", LZ_LINK_DECLARED_MAX);
    struct lz_link_cause *c = new_cause(w);
    c->is_declared = true;
    c->from = opts->from;
    c->to = opts->to;
    c->effect = (struct lz_link_effect){.from.target = &c->from,
                                        .to.target = &c->to,
                                        .both_ways = !opts->one_way,
                                        .is_shared = true,
                                        .conditions = opts->conditions,
                                        .path = path_between(w, &opts->from, &opts->to),
                                        .touched = &ls->untold};
    ls->declared_count++;
    return true;
}

lz_link_effect_id lz_link_effect_add(struct lz_world *w, const struct lz_link_effect *effect)
{
    LZ_ASSERT(effect->touched != NULL);
    struct lz_link_cause *c = new_cause(w);
    c->effect = *effect;
    return c->slot + 1;
}

// The line that packets of this link share with others.
static struct lz_link_line *line_of(struct lz_world *w, struct lz_link_cause *c, enum way way,
                                    uint64_t key)
{
    const struct lz_link_effect *e = &c->effect;
    if (!(e->conditions.rate > 0.0))
        return NULL;
    // Towards a hit instance it is that instance's line, away from one the same.
    bool is_inward = way == FORTH;
    uint32_t whose = 0;
    if (!e->is_shared) {
        bool to_is_hit = e->from.target == NULL && e->from.list == NULL ? is_inward : !is_inward;
        whose = to_is_hit ? (uint32_t)key : (uint32_t)(key >> 32);
    }
    for (struct lz_link_line *line = c->lines; line != NULL; line = line->next)
        if (line->whose == whose && line->is_inward == is_inward)
            return line;
    struct lz_link_line *line = lz_arena_alloc(w->arena, sizeof(*line));
    *line = (struct lz_link_line){.next = c->lines, .whose = whose, .is_inward = is_inward};
    line->pipe.rate = e->conditions.rate;
    line->pipe.buffer = e->conditions.buffer > 0.0 ? e->conditions.buffer : LZ_PIPE_BUFFER_BYTES;
    line->pipe.junk_at = lz_sim_now(w->sim);
    c->lines = line;
    return line;
}

static bool serves_port(const struct lz_world *w, lz_instance_id id, uint16_t port)
{
    return port == 0 || lz_world_component(w, lz_instance_get(w, id)->component)->port == port;
}

static void add_cut(const struct lz_world *w, struct lz_link *l, struct lz_link_passing *p)
{
    const struct lz_link_effect *e = &p->cause->effect;
    lz_instance_id from = (lz_instance_id)(l->key >> 32), to = (lz_instance_id)l->key;
    if (e->cut == LZ_LINK_CUT)
        p->cuts[0] = p->cuts[1] = true;
    if (e->cut == LZ_LINK_SERVED) {
        p->cuts[0] = p->way == FORTH && serves_port(w, to, e->port);
        p->cuts[1] = p->way == BACK && serves_port(w, from, e->port);
    }
    l->is_cut[0] |= p->cuts[0];
    l->is_cut[1] |= p->cuts[1];
}

static bool end_has_place(const struct lz_world *w, const struct lz_link_end *end,
                          const struct lz_link_place *place)
{
    if (end->list != NULL)
        return place->was_there != 0 && lz_link_end_has(w, end, place->was_there);
    return end->target == NULL || lz_target_has_host(w, end->target, place->host);
}

bool lz_link_is_cut_off(const struct lz_world *w, const struct lz_link_place *place,
                        lz_instance_id server)
{
    for (uint32_t i = 0; i < w->links->cause_count; i++) {
        const struct lz_link_effect *e = &w->links->causes[i]->effect;
        if (!w->links->causes[i]->is_active || e->cut == LZ_LINK_OPEN)
            continue;
        bool from_place = end_has_place(w, &e->from, place),
             to_place = end_has_place(w, &e->to, place);
        bool from_server = lz_link_end_has(w, &e->from, server);
        bool to_server = lz_link_end_has(w, &e->to, server);
        const struct lz_link_end *whole =
            e->to.target != NULL || e->to.list != NULL ? &e->to : &e->from;
        bool is_spared =
            e->around && end_has_place(w, whole, place) && lz_link_end_has(w, whole, server);
        bool is_served = from_place && to_server && serves_port(w, server, e->port);
        bool is_met = (from_place && to_server) || (from_server && to_place);
        if (!is_spared && (e->cut == LZ_LINK_CUT ? is_met : is_served))
            return true;
    }
    return false;
}

// What this link remembers of a cause outlives the coming and going of others.
static void remember(struct lz_link_passing *p, const struct lz_link_passing *before,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (before[i].serial == p->serial)
            p->memory = before[i].memory;
}

static bool spares(const struct lz_world *w, const struct lz_link_effect *e, uint64_t key)
{
    const struct lz_link_end *end = e->to.target != NULL || e->to.list != NULL ? &e->to : &e->from;
    return e->around && lz_link_end_has(w, end, (lz_instance_id)(key >> 32)) &&
           lz_link_end_has(w, end, (lz_instance_id)key);
}

static void find_passing(struct lz_world *w, struct lz_link *l)
{
    struct lz_links *ls = w->links;
    struct lz_link_passing *before = l->passing;
    uint32_t before_count = l->passing_count, before_cap = l->passing_cap;
    l->passing = NULL;
    l->passing_count = l->passing_cap = 0;
    for (uint32_t i = 0; i < ls->cause_count; i++) {
        struct lz_link_cause *c = ls->causes[i];
        const struct lz_link_effect *e = &c->effect;
        enum way way = c->is_active ? way_of(w, &e->from, &e->to, e->both_ways, l->key) : NOT;
        if (way == NOT || spares(w, e, l->key))
            continue;
        l->passing = lz_grow(w->arena, l->passing, &l->passing_cap, l->passing_count + 1,
                             sizeof(*l->passing));
        struct lz_link_passing *p = &l->passing[l->passing_count++];
        *p = (struct lz_link_passing){
            .cause = c, .serial = c->serial, .way = (int)way, .line = line_of(w, c, way, l->key)};
        remember(p, before, before_count);
        add_cut(w, l, p);
    }
    if (before != NULL)
        lz_arena_free(w->arena, before, before_cap * sizeof(*before));
}

static void set_junk(struct lz_world *w, struct lz_link_line *line)
{
    double rate = 0.0;
    for (const struct lz_link_junk *j = line->junk; j != NULL; j = j->next)
        rate += j->rate;
    lz_pipe_set_junk(&line->pipe, lz_sim_now(w->sim), rate);
}

// A flood is on every line that this link has; on one that others share, once.
static void flood_lines(struct lz_world *w, struct lz_link *l, const struct lz_link_passing *flood)
{
    for (uint32_t i = 0; i < l->passing_count; i++) {
        struct lz_link_line *line = l->passing[i].line;
        const struct lz_link_junk *known = line != NULL ? line->junk : NULL;
        while (known != NULL && known->serial != flood->serial)
            known = known->next;
        if (line == NULL || known != NULL)
            continue;
        struct lz_link_junk *junk = lz_arena_alloc(w->arena, sizeof(*junk));
        *junk = (struct lz_link_junk){
            .next = line->junk, .serial = flood->serial, .rate = flood->cause->effect.junk};
        line->junk = junk;
        set_junk(w, line);
    }
}

static void end_flood(struct lz_world *w, uint64_t serial)
{
    for (uint32_t i = 0; i < w->links->cause_count; i++) {
        for (struct lz_link_line *line = w->links->causes[i]->lines; line; line = line->next) {
            struct lz_link_junk **at = &line->junk;
            while (*at != NULL && (*at)->serial != serial)
                at = &(*at)->next;
            if (*at == NULL)
                continue;
            *at = (*at)->next;
            set_junk(w, line);
        }
    }
}

static struct lz_link_cause *active(const struct lz_world *w, lz_link_effect_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->links->cause_count);
    struct lz_link_cause *c = w->links->causes[id - 1];
    LZ_ASSERT(c->is_active && !c->is_declared);
    return c;
}

void lz_link_effect_set_rate(struct lz_world *w, lz_link_effect_id id, double bytes_per_s)
{
    struct lz_link_cause *c = active(w, id);
    LZ_ASSERT(c->effect.conditions.rate > 0.0);
    c->effect.conditions.rate = bytes_per_s;
    for (struct lz_link_line *line = c->lines; line != NULL; line = line->next)
        lz_pipe_set_rate(&line->pipe, lz_sim_now(w->sim), bytes_per_s);
}

void lz_link_effect_set_junk(struct lz_world *w, lz_link_effect_id id, double bytes_per_s)
{
    struct lz_link_cause *c = active(w, id);
    LZ_ASSERT(c->effect.junk > 0.0 && bytes_per_s > 0.0);
    c->effect.junk = bytes_per_s;
    for (uint32_t i = 0; i < w->links->cause_count; i++)
        for (struct lz_link_line *line = w->links->causes[i]->lines; line; line = line->next)
            for (struct lz_link_junk *j = line->junk; j != NULL; j = j->next)
                if (j->serial == c->serial) {
                    j->rate = bytes_per_s;
                    set_junk(w, line);
                }
}

uint32_t lz_link_effect_mark(const struct lz_world *w, lz_link_effect_id id)
{
    return active(w, id)->effect.mark;
}

void lz_link_effect_remove(struct lz_world *w, lz_link_effect_id id)
{
    struct lz_link_cause *c = active(w, id);
    if (c->effect.junk > 0.0)
        end_flood(w, c->serial);
    c->is_active = false;
    lz_link_recompose(w);
}

// A declared link that has nothing but a latency is no more than another distance.
static bool is_plain(const struct lz_link_passing *p)
{
    const struct lz_link_conditions *c = &p->cause->effect.conditions;
    return p->cause->is_declared && c->loss.kind == LZ_LOSS_NONE &&
           c->corrupt.kind == LZ_LOSS_NONE && c->duplicate.kind == LZ_LOSS_NONE &&
           c->reorder.kind == LZ_LOSS_NONE && !(c->rate > 0.0);
}

static void recompute(struct lz_world *w, struct lz_link *l)
{
    lz_instance_id from = (lz_instance_id)(l->key >> 32), to = (lz_instance_id)l->key;
    bool is_new = l->epoch == 0;
    l->epoch = w->links->face.epoch;
    l->base = lz_place_latency(w, lz_instance_get(w, from)->host, lz_instance_get(w, to)->host);
    l->correlation = 0.0;
    l->is_cut[0] = l->is_cut[1] = false;
    find_passing(w, l);
    for (uint32_t i = 0; i < l->passing_count; i++)
        if (l->passing[i].cause->effect.junk > 0.0 && l->passing[i].way == FORTH)
            flood_lines(w, l, &l->passing[i]);
    bool is_certain = true;
    for (uint32_t i = 0; i < l->passing_count; i++) {
        const struct lz_link_cause *c = l->passing[i].cause;
        is_certain &= is_plain(&l->passing[i]);
        if (!c->is_declared || c->effect.conditions.latency.kind == LZ_DIST_NONE)
            continue;
        l->base = &c->effect.conditions.latency;
        l->correlation = c->effect.conditions.latency_correlation;
    }
    l->is_measured = lz_link_is_measured(w, l->key);
    is_certain &= l->base->kind == LZ_DIST_CONSTANT && !l->is_measured;
    bool is_direct = is_certain && w->order == NULL;             // nothing may hold a message back
    l->always_ns = is_direct ? lz_dist_time(l->base, NULL) : -1; // a constant draws nothing
    l->line = l->always_ns > 0 ? lz_sim_line(w->sim, l->always_ns) : 0;
    if (is_new) {
        l->smooth_ns = lz_dist_mean(l->base);
        if (!(l->smooth_ns < (double)LZ_DIST_TIME_MAX))
            l->smooth_ns = (double)LZ_S; // a pareto without a mean: what TCP starts with
        l->varying_ns = is_certain ? 0.0 : l->smooth_ns / 2.0;
    }
}

// Where the link's number is, or has room.
static uint32_t *place_of(const struct lz_links *ls, uint64_t key)
{
    uint32_t i = (uint32_t)(lz_hash_mix(key, 1) & (ls->cap - 1));
    while (ls->table[i] != 0 && ls->face.all[ls->table[i]]->key != key)
        i = (i + 1) & (ls->cap - 1);
    return &ls->table[i];
}

static void widen(struct lz_world *w)
{
    struct lz_links *ls = w->links;
    lz_arena_free(w->arena, ls->table, ls->cap * sizeof(*ls->table));
    ls->cap *= 2;
    ls->table = lz_arena_alloc(w->arena, ls->cap * sizeof(*ls->table));
    for (uint32_t i = 1; i <= ls->count; i++)
        *place_of(ls, ls->face.all[i]->key) = i;
}

static uint32_t make(struct lz_world *w, uint64_t key)
{
    struct lz_links *ls = w->links;
    if (2 * (ls->count + 1) > ls->cap)
        widen(w);
    ls->face.all =
        lz_grow(w->arena, ls->face.all, &ls->all_cap, ls->count + 2, sizeof(struct lz_link *));
    struct lz_link *l = ls->face.all[++ls->count] = lz_arena_alloc(w->arena, sizeof(*l));
    l->key = key;
    return *place_of(ls, key) = ls->count;
}

uint32_t lz_link_number(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    struct lz_links *ls = w->links;
    uint64_t key = (uint64_t)from << 32 | to;
    uint32_t number = *place_of(ls, key);
    if (number == 0)
        number = make(w, key);
    struct lz_link *l = ls->face.all[number];
    if (l->epoch != ls->face.epoch)
        recompute(w, l);
    LZ_ASSERT(l->key == key);
    return number;
}

struct lz_link *lz_link_get(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    uint32_t number = lz_link_number(w, from, to);
    return w->links->face.all[number];
}
