/*
 * A cluster's slots are Redis Cluster's, and its shards fail over when the specification says.
 *
 * Sources: redis.io, "Redis cluster specification" (CRC16, hash tags, the delay of an election,
 * availability: 1/(N*2-1) of the pairs of nodes that may go away), CLUSTER KEYSLOT, and
 * redis-benchmark's crc16_slottable.h; the ranges that redis-cli --cluster create deals out.
 *
 * Method: many clusters in one world, each with draws of its own; nodes die at one instant.
 */
#include "model/cache/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/cache/cluster_state.h"
#include "model/net/link.h"
#include "model/node/instance.h"
#include "model/traffic/traffic.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MANY 60
#define DIES (30 * LZ_S)

static void keys_have_the_slots_that_redis_gives_them(void **unused)
{
    (void)unused;
    static const struct {
        const char *key;
        uint32_t slot;
    } rows[] = {
        {"06S", 0},
        {"Qi", 1},
        {"foo", 12182},
        {"bar", 5061},
        {"hello", 866},
        {"somekey", 11058},
        {"foo{hash_tag}", 2515},
        {"bar{hash_tag}", 2515},
        {"hash_tag", 2515},
        {"{user1000}.following", 3443},
        {"user1000", 3443},
        {"{user1000}.followers", 3443},
        {"foo{bar}{zap}", 5061},
        {"x{bar}y", 5061},
    };
    assert_int_equal(lz_slots_crc16("123456789", 9), 0x31c3);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(lz_slots_of_text(rows[i].key, strlen(rows[i].key)), rows[i].slot);
    // An empty tag is none, and of {{bar}} it is {bar.
    assert_int_equal(lz_slots_of_text("foo{}{bar}", 10), lz_slots_crc16("foo{}{bar}", 10) & 16383);
    assert_int_equal(lz_slots_of_text("foo{{bar}}zap", 13), lz_slots_crc16("{bar", 4) & 16383);
}

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id cache[MANY];
    uint32_t count;
    struct lz_err err;
};

static void make(struct stage *s, uint32_t count, uint32_t nodes, struct lz_cluster_opts cluster)
{
    *s = (struct stage){.count = count};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &s->err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = 10000 * LZ_S});
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof(name), "redis%u", i);
        assert_true(lz_cache_create(s->w,
                                    &(struct lz_cache_opts){.name = lz_arena_strdup(s->arena, name),
                                                            .mode = LZ_CACHE_CLUSTER,
                                                            .nodes = nodes,
                                                            .entries = 10000,
                                                            .cluster = cluster},
                                    &s->cache[i], &s->err));
    }
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static struct lz_cache *at(const struct stage *s, uint32_t i)
{
    return lz_cache_at(s->w, s->cache[i]);
}

static void kill_node(struct stage *s, uint32_t i, uint32_t node)
{
    lz_instance_kill(s->w, at(s, i)->first + node);
}

// Every node that runs serves.
static bool serves(const struct stage *s, uint32_t i)
{
    const struct lz_cache *c = at(s, i);
    for (uint32_t n = 0; n < c->nodes; n++)
        if (lz_instance_is_up(lz_instance_get(s->w, c->first + n)) && !lz_cluster_node(c, n)->is_ok)
            return false;
    return true;
}

static void three_shards_have_the_ranges_of_redis_cli(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 6, (struct lz_cluster_opts){.replicas = 1});
    const uint8_t *owner = lz_cluster_node(at(&s, 0), 4)->owner;
    static const uint32_t ends[] = {0, 5460, 5461, 10922, 10923, 16383};
    for (uint32_t i = 0; i < COUNT(ends); i++)
        assert_int_equal(owner[ends[i]], i / 2 + 1);
    lz_arena_destroy(s.arena);
}

// DELAY = 500 ms + U(0, 500 ms) + rank * 1 s after it is known that the primary fails, and looked
// at ten times a second.
static void an_election_comes_when_the_specification_says(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, MANY, 6, (struct lz_cluster_opts){.replicas = 1, .node_timeout = 15 * LZ_S});
    run(&s, DIES);
    for (uint32_t i = 0; i < s.count; i++)
        kill_node(&s, i, 0);
    run(&s, DIES + 15 * LZ_S);
    for (uint32_t i = 0; i < s.count; i++)
        for (uint32_t n = 0; n < 6; n++)
            assert_false(lz_cluster_node(at(&s, i), n)->of[0].is_fail); // nobody may know yet
    run(&s, DIES + 60 * LZ_S);
    double mean = 0.0;
    for (uint32_t i = 0; i < s.count; i++) {
        struct lz_cache *c = at(&s, i);
        uint32_t replica = 5; // the last of three follows the first
        assert_int_equal(lz_cluster_shard(c, replica), 0);
        assert_true(lz_cache_leads(s.w, c->first + replica));
        const struct lz_cluster_node *v = lz_cluster_node(c, replica);
        double failed = (double)(v->of[0].failed_at - DIES) / 1e9;
        double delay = (double)(v->auth_at - v->of[0].failed_at) / 1e9;
        assert_true(failed >= 15.0 && failed <= 15.0 + 7.5);
        assert_true(delay >= 0.5 && delay <= 1.1);
        assert_true(serves(&s, i));
        mean += delay / s.count;
    }
    // 0.75 s and half a tenth of a second; the error of a mean of 60 uniform ones is 0.02 s.
    assert_true(mean > 0.80 - 0.08 && mean < 0.80 + 0.08);
    lz_arena_destroy(s.arena);
}

// What a replica said before it was promoted comes before what it says since, however the way's
// latency varies (gossip.c asserts that nothing overtakes), and nobody takes it for one again.
static void a_promotion_holds_over_ways_that_vary(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 6, (struct lz_cluster_opts){.replicas = 1, .node_timeout = 2 * LZ_S});
    struct lz_target all = {.kind = LZ_TARGET_COMPONENT, .id = s.cache[0]};
    struct lz_link_opts o = {.from = all, .to = all};
    o.conditions.loss = (struct lz_loss){.kind = LZ_LOSS_RATIO, .ratio = 0.02};
    assert_true(lz_dist_make(&o.conditions.latency, LZ_DIST_EXPONENTIAL, 150.0 * LZ_MS, 0, &s.err));
    assert_true(lz_link_declare(s.w, &o, &s.err));
    run(&s, DIES);
    kill_node(&s, 0, 0);
    run(&s, DIES + 20 * LZ_S);
    struct lz_cache *c = at(&s, 0);
    assert_true(lz_cache_leads(s.w, c->first + 5));
    for (lz_time later = 20; later <= 120; later += 10) {
        run(&s, DIES + later * LZ_S);
        for (uint32_t n = 1; n < 6; n++)
            assert_int_equal(lz_cluster_node(c, n)->owner[0], 6);
        assert_true(serves(&s, 0));
    }
    lz_arena_destroy(s.arena);
}

// "5 masters, a replica each: when two nodes are away, 1/(5*2-1) = 11.11 % that it is unavailable".
static void as_many_pairs_of_nodes_stop_it_as_published(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 45, 10, (struct lz_cluster_opts){.replicas = 1, .node_timeout = LZ_S});
    run(&s, DIES);
    uint32_t i = 0, stopped = 0;
    for (uint32_t a = 0; a < 10; a++)
        for (uint32_t b = a + 1; b < 10; b++, i++) {
            kill_node(&s, i, a);
            kill_node(&s, i, b);
        }
    run(&s, DIES + 30 * LZ_S);
    for (i = 0; i < 45; i++)
        stopped += !serves(&s, i);
    assert_int_equal(stopped, 5); // of 45: 11.11 %
    lz_arena_destroy(s.arena);
}

// Its primary was only unheard of for a while, and has meanwhile a newer claim, as by slots that
// were moved to it: it keeps its place, and serves.
static void a_primary_with_the_newer_claim_has_its_place_back(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 6, (struct lz_cluster_opts){.replicas = 1, .node_timeout = LZ_S});
    run(&s, DIES);
    struct lz_cache *c = at(&s, 0);
    lz_series covered = c->series.covered;
    lz_promote_take_over(s.w, c, 5);
    lz_cluster_node(c, 0)->epoch = 100;
    lz_claims_bump(c, 0);
    assert_true(c->node[0].leads && c->node[0].is_replaced && c->node[5].leads);
    run(&s, DIES + 10 * LZ_S);
    assert_true(c->node[0].leads && !c->node[0].is_replaced);
    assert_false(c->node[5].leads);
    assert_int_equal(c->node[5].follows, 0);
    assert_true(serves(&s, 0));
    assert_true(lz_metrics_level(s.w->metrics, covered) == 1.0);
    lz_arena_destroy(s.arena);
}

static void without_most_primaries_nobody_is_promoted(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 6, (struct lz_cluster_opts){.replicas = 1, .node_timeout = LZ_S});
    run(&s, DIES);
    kill_node(&s, 0, 0);
    kill_node(&s, 0, 1);
    run(&s, DIES + 60 * LZ_S);
    for (uint32_t n = 3; n < 6; n++)
        assert_false(at(&s, 0)->node[n].leads);
    assert_false(serves(&s, 0));
    lz_arena_destroy(s.arena);
}

static void of_two_replicas_the_one_with_more_writes_leads(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 20, 9, (struct lz_cluster_opts){.replicas = 2, .node_timeout = LZ_S});
    run(&s, DIES);
    for (uint32_t i = 0; i < s.count; i++) {
        struct lz_cache *c = at(&s, i);
        for (uint32_t n = 3, more = 10; n < 9; n++)
            if (lz_cluster_shard(c, n) == 0) {
                c->node[n].offset = more; // as if these had come before it died
                more += 10;
            }
        kill_node(&s, i, 0);
    }
    run(&s, DIES + 20 * LZ_S);
    for (uint32_t i = 0; i < s.count; i++) {
        struct lz_cache *c = at(&s, i);
        uint32_t latest = 0;
        for (uint32_t n = 3; n < 9; n++)
            latest = lz_cluster_shard(c, n) == 0 ? n : latest;
        assert_true(c->node[latest].leads);
    }
    lz_arena_destroy(s.arena);
}

static void put_keys(struct stage *s, uint32_t shards)
{
    struct lz_cache *c = at(s, 0);
    for (uint64_t key = 1; key <= 3000; key++) {
        uint32_t owner = lz_cluster_node(c, 0)->owner[lz_slots_of_key(s->w, key)] - 1u;
        assert_true(owner < shards);
        const struct lz_put put = {.key = key, .value = key, .version = key, .size = 100};
        assert_non_null(lz_keyspace_put(c->node[owner].keys, &put, 0));
    }
}

static void slots_that_are_moved_take_their_keys_along(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 3, (struct lz_cluster_opts){.node_timeout = LZ_S});
    put_keys(&s, 3);
    run(&s, LZ_S);
    struct lz_cache *c = at(&s, 0);
    uint32_t before = lz_keyspace_count(c->node[0].keys);
    const struct lz_reshard_opts o = {.slots = 1000, .from = 1, .to = 3};
    assert_true(lz_cache_reshard(s.w, s.cache[0], &o, &s.err));
    run(&s, 60 * LZ_S);
    for (uint32_t n = 0; n < 3; n++) { // all have heard of it
        assert_int_equal(lz_cluster_node(c, n)->of[0].slots, 5461 - 1000);
        assert_int_equal(lz_cluster_node(c, n)->of[2].slots, 5461 + 1000);
        assert_int_equal(lz_cluster_node(c, n)->owner[999], 3);
        assert_int_equal(lz_cluster_node(c, n)->owner[1000], 1);
    }
    uint32_t total = 0, moved = 0;
    for (uint32_t n = 0; n < 3; n++)
        total += lz_keyspace_count(c->node[n].keys);
    assert_int_equal(total, 3000);
    for (uint32_t slot = 0; slot < 1000; slot++) {
        assert_int_equal(lz_keyspace_slot_count(c->node[0].keys, slot), 0);
        moved += lz_keyspace_slot_count(c->node[2].keys, slot);
    }
    assert_true(moved > 100 && before - lz_keyspace_count(c->node[0].keys) == moved);
    lz_arena_destroy(s.arena);
}

static void a_wrong_move_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        struct lz_reshard_opts opts;
        const char *says;
    } rows[] = {
        {{.slots = 1, .from = 1, .to = 1}, "nothing would move"},
        {{.slots = 1, .from = 1, .to = 4}, "shards, 1 to 3"},
        {{.slots = 6000, .from = 1, .to = 2}, "slots must be 1 to 5461"},
    };
    struct stage s;
    make(&s, 1, 3, (struct lz_cluster_opts){.node_timeout = LZ_S});
    run(&s, LZ_S);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_false(lz_cache_reshard(s.w, s.cache[0], &rows[i].opts, &s.err));
        assert_non_null(strstr(s.err.msg, rows[i].says));
    }
    const struct lz_reshard_opts good = {.slots = 5, .from = 1, .to = 2, .timeout = LZ_S};
    assert_true(lz_cache_reshard(s.w, s.cache[0], &good, &s.err));
    assert_false(lz_cache_reshard(s.w, s.cache[0], &good, &s.err));
    assert_non_null(strstr(s.err.msg, "is being resharded"));
    kill_node(&s, 0, 1); // nobody answers: it stops, and the slot is left open
    run(&s, 5 * LZ_S);
    assert_false(at(&s, 0)->cluster->reshard.is_busy);
    assert_true(at(&s, 0)->cluster->reshard.is_open);
    lz_arena_destroy(s.arena);
}

// A reshard stops with a slot open and half of its keys gone; then somebody dies.
static void open_a_slot(struct stage *s, uint32_t dies)
{
    make(s, 1, 6, (struct lz_cluster_opts){.replicas = 1, .node_timeout = LZ_S});
    run(s, LZ_S);
    struct lz_cache *c = at(s, 0);
    for (uint64_t key = 0; lz_keyspace_slot_count(c->node[0].keys, 0) < 20; key++) {
        const struct lz_record record = {.put = {.key = key, .version = 1, .size = 1}};
        if (lz_slots_of_key(s->w, key) != 0)
            continue;
        assert_non_null(lz_keyspace_put(c->node[0].keys, &record.put, LZ_S));
        lz_cache_wrote(s->w, c, 0, &record);
    }
    const struct lz_reshard_opts o = {.slots = 9, .from = 1, .to = 2, .batch = 1, .timeout = LZ_S};
    assert_true(lz_cache_reshard(s->w, s->cache[0], &o, &s->err));
    for (lz_time t = LZ_S; lz_keyspace_slot_count(c->node[1].keys, 0) < 10; t += LZ_MS / 10)
        run(s, t);
    kill_node(s, 0, dies);
    run(s, 30 * LZ_S);
    assert_false(c->cluster->reshard.is_busy);
}

// Every node has the same owner of slot 0, no slot is open, and no key of it is anywhere else.
static void is_whole(const struct stage *s, uint32_t shard, uint32_t keys)
{
    const struct lz_cache *c = at(s, 0);
    uint32_t owner = lz_cache_shard_primary(s->w, s->cache[0], shard) - 1;
    assert_true(serves(s, 0));
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cluster_node *v = lz_cluster_node(c, n);
        if (!lz_instance_is_up(lz_instance_get(s->w, c->first + n)))
            continue;
        assert_int_equal(v->owner[0], owner + 1);
        assert_int_equal(v->unassigned, 0);
        assert_int_equal(v->migrating + v->importing, 0);
        bool has = n == owner || (!c->node[n].leads && c->node[n].follows == owner);
        assert_int_equal(lz_keyspace_slot_count(c->node[n].keys, 0), has ? keys : 0);
    }
}

// redis-cli --cluster fix, clusterManagerFixOpenSlot: its cases, by who is gone.
static void what_a_failover_left_open_is_fixed(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t dies, shard, open_at;
        bool imports;
    } rows[] = {
        {0, 1, 1, true},  // the source: the slot stays, its keys come back (case 2)
        {1, 2, 0, false}, // the target: whoever took over holds keys, and gets the slot (case 1)
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        open_a_slot(&s, rows[i].dies);
        struct lz_cache *c = at(&s, 0);
        const struct lz_cluster_node *v = lz_cluster_node(c, rows[i].open_at);
        assert_int_equal(rows[i].imports ? v->importing : v->migrating, 1);
        assert_int_equal(lz_fix_open_slot(s.w, c), 0);
        const struct lz_reshard_opts other = {.slots = 1, .from = 3, .to = 1};
        assert_false(lz_cache_reshard(s.w, s.cache[0], &other, &s.err));
        assert_non_null(strstr(s.err.msg, "slot 0 is still open"));
        assert_non_null(strstr(s.err.msg, "redis0:fix()"));
        assert_true(lz_cache_fix(s.w, s.cache[0], &s.err));
        assert_false(lz_cache_fix(s.w, s.cache[0], &s.err));
        assert_non_null(strstr(s.err.msg, "is being fixed"));
        run(&s, 40 * LZ_S);
        is_whole(&s, rows[i].shard, 20);
        assert_true(lz_cache_reshard(s.w, s.cache[0], &other, &s.err));
        lz_arena_destroy(s.arena);
    }
}

// The same two shards, whoever leads them: asked for again, it goes on.
static void a_move_whose_source_is_gone_goes_on(void **unused)
{
    (void)unused;
    struct stage s;
    open_a_slot(&s, 0);
    const struct lz_reshard_opts again = {.slots = 9, .from = 1, .to = 2};
    assert_true(lz_cache_reshard(s.w, s.cache[0], &again, &s.err));
    run(&s, 40 * LZ_S);
    is_whole(&s, 2, 20);
    uint32_t source = lz_cache_shard_primary(s.w, s.cache[0], 1);
    for (uint32_t slot = 0; slot < 10; slot++)
        assert_int_equal(lz_cluster_node(at(&s, 0), 2)->owner[slot], slot < 9 ? 2 : source);
    lz_arena_destroy(s.arena);
}

// The old source is back and has no slots: the target, which takes over no claim of a slot that it
// imports, holds it for nobody's and stops serving (issue 3122 is of this kind) until it is fixed.
static void a_target_that_knows_no_owner_serves_after_a_fix(void **unused)
{
    (void)unused;
    struct stage s;
    open_a_slot(&s, 0);
    lz_instance_restart(s.w, at(&s, 0)->first);
    run(&s, 60 * LZ_S);
    assert_int_equal(lz_cluster_node(at(&s, 0), 1)->owner[0], 0);
    assert_false(lz_cluster_node(at(&s, 0), 1)->is_ok);
    assert_true(lz_cache_fix(s.w, s.cache[0], &s.err));
    run(&s, 80 * LZ_S);
    is_whole(&s, 1, 20);
    lz_arena_destroy(s.arena);
}

// Who holds its keys gets it; of what nobody has and nobody holds, who has the fewest slots.
static void slots_that_nobody_has_get_an_owner(void **unused)
{
    (void)unused;
    struct stage s;
    make(&s, 1, 3, (struct lz_cluster_opts){.node_timeout = LZ_S});
    run(&s, LZ_S);
    struct lz_cache *c = at(&s, 0);
    assert_true(lz_slots_of_key(s.w, 7) > 1);
    uint32_t held = lz_slots_of_key(s.w, 7), bare = held == 100 ? 101 : 100;
    for (uint32_t n = 0; n < 3; n++) {
        lz_claims_assign(c, n, held, 0);
        lz_claims_assign(c, n, bare, 0);
    }
    assert_non_null(lz_keyspace_put(c->node[1].keys, &(struct lz_put){.key = 7, .size = 1}, 0));
    run(&s, 5 * LZ_S);
    assert_false(serves(&s, 0));
    assert_int_equal(lz_fix_open_slot(s.w, c), LZ_SLOTS); // that is not what is wrong
    assert_true(lz_cache_fix(s.w, s.cache[0], &s.err));
    run(&s, 15 * LZ_S);
    assert_true(serves(&s, 0));
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(lz_cluster_node(c, n)->owner[held], 2);
        assert_int_equal(lz_cluster_node(c, n)->owner[bare], 1);
    }
    assert_true(lz_cache_fix(s.w, s.cache[0], &s.err)); // nothing is wrong: nothing happens
    assert_false(c->cluster->reshard.is_busy);
    kill_node(&s, 0, 2);
    assert_false(lz_cache_fix(s.w, s.cache[0], &s.err));
    assert_non_null(strstr(s.err.msg, "redis0[3] leads shard 3 and does not answer"));
    lz_arena_destroy(s.arena);
}

static void a_cluster_that_could_not_be_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t nodes;
        struct lz_cluster_opts opts;
        const char *says;
    } rows[] = {
        {2, {.replicas = 0}, "3 primaries"},
        {7, {.replicas = 1}, "nodes = 6"},
        {6, {.replicas = 1, .node_timeout = LZ_MS}, "at least 200ms"},
        {6, {.replicas = 1, .redirects = 16}, "at most 15"},
    };
    struct stage s;
    make(&s, 0, 0, (struct lz_cluster_opts){0});
    for (size_t i = 0; i < COUNT(rows); i++) {
        lz_component_id id;
        assert_false(lz_cache_create(s.w,
                                     &(struct lz_cache_opts){.name = "wrong",
                                                             .mode = LZ_CACHE_CLUSTER,
                                                             .nodes = rows[i].nodes,
                                                             .entries = 10,
                                                             .cluster = rows[i].opts},
                                     &id, &s.err));
        assert_non_null(strstr(s.err.msg, rows[i].says));
    }
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_the_slots_that_redis_gives_them),
        cmocka_unit_test(three_shards_have_the_ranges_of_redis_cli),
        cmocka_unit_test(an_election_comes_when_the_specification_says),
        cmocka_unit_test(a_promotion_holds_over_ways_that_vary),
        cmocka_unit_test(as_many_pairs_of_nodes_stop_it_as_published),
        cmocka_unit_test(a_primary_with_the_newer_claim_has_its_place_back),
        cmocka_unit_test(without_most_primaries_nobody_is_promoted),
        cmocka_unit_test(of_two_replicas_the_one_with_more_writes_leads),
        cmocka_unit_test(slots_that_are_moved_take_their_keys_along),
        cmocka_unit_test(a_wrong_move_is_refused),
        cmocka_unit_test(what_a_failover_left_open_is_fixed),
        cmocka_unit_test(a_move_whose_source_is_gone_goes_on),
        cmocka_unit_test(a_target_that_knows_no_owner_serves_after_a_fix),
        cmocka_unit_test(slots_that_nobody_has_get_an_owner),
        cmocka_unit_test(a_cluster_that_could_not_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
