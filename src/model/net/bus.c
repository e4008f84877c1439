#include "model/net/bus.h"

#include "base/check.h"
#include "base/pool.h"
#include "model/net/net.h"
#include "model/node/instance.h"

// One way of two nodes: what its sender and its receiver know of the connection.
struct line {
    uint32_t number;      // of the sender's connection, from 1
    uint32_t open;        // of the one that the receiver hears
    uint32_t incarnation; // of the process that accepted that
    uint32_t waits;       // the first letter there that came too early
    uint32_t with;        // the one that was there when `number` began; 0: none, whoever is next
    uint64_t said, heard; // turns
    lz_time since;        // the first of `number` was said
};

struct letter {
    struct lz_pool_head head;
    uint32_t next;         // that waits
    uint32_t number, with; // as of its line
    struct lz_bus *bus;
    uint64_t turn;
    lz_time sent;
    struct lz_bus_message m;
};

struct lz_bus {
    struct lz_bus_opts opts;
    struct line *lines; // by channel, from and to
    uint32_t letters, letters_max;
};

struct lz_buses {
    struct lz_pool letters;
    lz_kind arrive;
};

static struct line *line_of(const struct lz_bus *bus, uint32_t from, uint32_t to, uint32_t channel)
{
    uint32_t nodes = bus->opts.nodes;
    LZ_ASSERT(from < nodes && to < nodes && from != to);
    LZ_ASSERT(channel < bus->opts.channels);
    return &bus->lines[((size_t)channel * nodes + from) * nodes + to];
}

static struct letter *letter_at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->buses->letters, index);
}

static void give(struct lz_world *w, struct letter *l)
{
    LZ_ASSERT(l->bus->letters > 0);
    l->bus->letters--;
    lz_pool_give(&w->buses->letters, l);
}

static void lose(struct lz_world *w, struct letter *l)
{
    struct lz_bus_message m = l->m;
    const struct lz_bus_ops *ops = l->bus->opts.ops;
    give(w, l);
    if (ops->lost != NULL)
        ops->lost(w, &m);
}

static void renew(struct line *line)
{
    line->number++;
    line->said = 0;
    line->since = -1;
}

static void break_line(struct lz_world *w, struct lz_bus *bus, const struct lz_bus_message *way,
                       bool by_reset)
{
    renew(line_of(bus, way->from, way->to, way->channel));
    if (bus->opts.ops->broke != NULL)
        bus->opts.ops->broke(w, bus->opts.first + way->from, way, by_reset);
}

// Asked before each retransmission.
static bool is_wanted(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    struct letter *l = lz_pool_find(&w->buses->letters, payload);
    LZ_ASSERT(l != NULL);
    struct lz_bus *bus = l->bus;
    const struct lz_bus_message m = l->m;
    bool is_open = line_of(bus, m.from, m.to, m.channel)->number == l->number;
    lz_time patience = bus->opts.patience;
    bool is_old = tries > 0 && patience > 0 && lz_sim_now(w->sim) - l->sent > patience;
    if (is_open && !is_old && tries <= LZ_TCP_RETRIES)
        return true;
    lose(w, l);
    if (is_open)
        break_line(w, bus, &m, false);
    return false;
}

static void begin(struct lz_world *w, struct line *line, lz_instance_id to)
{
    const struct lz_instance *i = lz_instance_get(w, to);
    line->since = lz_sim_now(w->sim);
    line->with = lz_instance_has_begun(i) ? i->incarnation : 0;
}

void lz_bus_send(struct lz_world *w, struct lz_bus *bus, const struct lz_bus_message *m)
{
    LZ_ASSERT(m->kind != 0);
    struct line *line = line_of(bus, m->from, m->to, m->channel);
    struct letter *l = lz_pool_take_sized(&w->buses->letters, sizeof(*l));
    if (++bus->letters > bus->letters_max)
        bus->letters_max = bus->letters;
    l->bus = bus;
    l->m = *m;
    l->sent = lz_sim_now(w->sim);
    if (line->said++ == 0)
        begin(w, line, bus->opts.first + m->to);
    l->number = line->number;
    l->with = line->with;
    l->turn = line->said;
    lz_net_send(w, &(struct lz_message){.from = bus->opts.first + m->from,
                                        .to = bus->opts.first + m->to,
                                        .kind = w->buses->arrive,
                                        .payload = lz_pool_id(l),
                                        .owner = m->owner,
                                        .purpose = LZ_PURPOSE_LOG,
                                        .bytes = m->bytes,
                                        .wanted = is_wanted});
}

// ---- the receiver

static void wait(const struct lz_world *w, struct line *line, struct letter *l)
{
    uint32_t *at = &line->waits;
    while (*at != 0 && letter_at(w, *at)->turn < l->turn)
        at = &letter_at(w, *at)->next;
    LZ_ASSERT(*at == 0 || letter_at(w, *at)->turn > l->turn);
    l->next = *at;
    *at = l->head.index;
}

// A connection that the process there has not seen: with it the one before it is over.
static void open(struct lz_world *w, struct line *line, const struct letter *l)
{
    LZ_ASSERT(l->number > line->open);
    while (line->waits != 0) {
        struct letter *old = letter_at(w, line->waits);
        line->waits = old->next;
        lose(w, old);
    }
    line->open = l->number;
    line->heard = 0;
    line->incarnation = lz_instance_get(w, l->bus->opts.first + l->m.to)->incarnation;
}

static void hear(struct lz_world *w, struct line *line, struct letter *l)
{
    LZ_ASSERT(l->turn == line->heard + 1);
    line->heard++;
    const struct lz_bus_message m = l->m;
    const struct lz_bus *bus = l->bus;
    give(w, l);
    bus->opts.ops->heard(w, bus->opts.first + m.to, &m);
}

// What was heard may have ended the process.
static bool is_next_heard(const struct lz_world *w, const struct line *line, lz_instance_id at)
{
    const struct lz_instance *i = lz_instance_get(w, at);
    return line->waits != 0 && letter_at(w, line->waits)->turn == line->heard + 1 &&
           lz_instance_has_begun(i) && i->incarnation == line->incarnation;
}

// There is nobody to hear it. With the host went whoever had accepted the connection, or would
// have: the next process there knows of none.
static void miss(struct lz_world *w, struct line *line, struct letter *l)
{
    const struct lz_bus_message m = l->m;
    struct lz_bus *bus = l->bus;
    bool is_silent = lz_instance_get(w, bus->opts.first + m.to)->state == LZ_INSTANCE_LOST;
    bool is_reset = !is_silent && l->number == line->number;
    if (is_silent && l->number > line->open)
        open(w, line, l);
    lose(w, l);
    if (is_reset)
        break_line(w, bus, &m, true);
}

static void on_arrive(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct letter *l = lz_pool_find(&w->buses->letters, payload);
    LZ_ASSERT(l != NULL);
    if (lz_instance_defer(w, entity, w->buses->arrive, payload))
        return;
    const struct lz_instance *i = lz_instance_get(w, entity);
    struct line *line = line_of(l->bus, l->m.from, l->m.to, l->m.channel);
    bool is_of_another = (l->with != 0 && l->with != i->incarnation) ||
                         (l->number == line->open && line->incarnation != i->incarnation);
    if (!lz_instance_has_begun(i) || is_of_another || l->number < line->open) {
        miss(w, line, l);
        return;
    }
    if (l->number > line->open)
        open(w, line, l);
    if (l->turn != line->heard + 1) {
        wait(w, line, l);
        return;
    }
    hear(w, line, l);
    while (is_next_heard(w, line, entity)) {
        l = letter_at(w, line->waits);
        line->waits = l->next;
        hear(w, line, l);
    }
}

// ---- its end

// What had come to a process that stood still has gone with it, and so has the connection.
void lz_bus_drop(struct lz_world *w, lz_kind kind, uint64_t payload)
{
    if (w->buses == NULL || kind != w->buses->arrive)
        return;
    struct letter *l = lz_pool_find(&w->buses->letters, payload);
    LZ_ASSERT(l != NULL);
    struct line *line = line_of(l->bus, l->m.from, l->m.to, l->m.channel);
    if (l->number > line->open)
        open(w, line, l);
    lose(w, l);
}

void lz_bus_ended(struct lz_world *w, struct lz_bus *bus, uint32_t node, bool silent)
{
    for (uint32_t c = 0; c < bus->opts.channels; c++)
        for (uint32_t n = 0; n < bus->opts.nodes; n++) {
            if (n == node)
                continue;
            renew(line_of(bus, node, n, c));
            if (!silent && line_of(bus, n, node, c)->said > 0)
                break_line(w, bus, &(struct lz_bus_message){.from = n, .to = node, .channel = c},
                           true);
        }
}

void lz_bus_break(struct lz_bus *bus, uint32_t from, uint32_t to, uint32_t channel)
{
    renew(line_of(bus, from, to, channel));
}

lz_time lz_bus_since(const struct lz_bus *bus, uint32_t from, uint32_t to, uint32_t channel)
{
    return line_of(bus, from, to, channel)->since;
}

size_t lz_bus_bytes(const struct lz_bus *bus)
{
    size_t nodes = bus->opts.nodes;
    return sizeof(*bus) + bus->opts.channels * nodes * nodes * sizeof(*bus->lines) +
           bus->letters_max * sizeof(struct letter);
}

struct lz_bus *lz_bus_create(struct lz_world *w, const struct lz_bus_opts *opts)
{
    LZ_ASSERT(opts->nodes > 0 && opts->nodes <= LZ_BUS_NODES_MAX);
    LZ_ASSERT(opts->channels > 0 && opts->channels <= LZ_BUS_CHANNELS_MAX);
    LZ_ASSERT(opts->ops->heard != NULL);
    if (w->buses == NULL) {
        w->buses = lz_arena_alloc(w->arena, sizeof(*w->buses));
        lz_pool_init(&w->buses->letters, w->arena, sizeof(struct letter));
        w->buses->arrive = lz_sim_kind(w->sim, "bus", on_arrive, w);
    }
    struct lz_bus *bus = lz_arena_alloc(w->arena, sizeof(*bus));
    bus->opts = *opts;
    size_t count = (size_t)opts->channels * opts->nodes * opts->nodes;
    bus->lines = lz_arena_alloc(w->arena, count * sizeof(*bus->lines));
    for (size_t i = 0; i < count; i++)
        bus->lines[i] = (struct line){.number = 1, .since = -1};
    return bus;
}
