/*
 * What lies between a group's nodes: messages that are lost and asked for again, disks that hold
 * them up, and what all of it takes. Worlds are made and disturbed directly, as in
 * test_consensus.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consensus_stage.h"
#include "model/net/bus.h"

// The others hear the leader, and it does not hear them for as long as a connection lives.
static void an_answer_that_is_lost_is_asked_for_again(void **state)
{
    static const struct {
        uint32_t nodes_down; // from the second on, until after what is written
        uint64_t writes;
    } rows[] = {{0, 1}, {0, 40}, {1, 40}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lz_consensus_opts o = {
            .nodes = 3, .no_check_quorum = true, .snapshot_every = 10, .snapshot_keep = 2};
        struct stage s = stage_make(&o, 1, 100 * LZ_S);
        const struct lz_raft_node *leader = &s.g->nodes[0];
        lz_instance_id others[2] = {s.g->first + 1, s.g->first + 2}, first = s.g->first;
        uint64_t touched = 0;
        const struct lz_link_effect e = {.from = {.list = others, .count = 2},
                                         .to = {.list = &first, .count = 1},
                                         .cut = LZ_LINK_CUT,
                                         .touched = &touched};
        stage_run(&s, LZ_S);
        if (rows[i].nodes_down > 0)
            lz_instance_kill(s.w, others[0]);
        for (uint64_t k = 1; rows[i].nodes_down > 0 && k < rows[i].writes; k++)
            stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k, .value = k});
        stage_run(&s, 2 * LZ_S);
        if (rows[i].nodes_down > 0)
            lz_instance_restart(s.w, others[0]);
        lz_link_effect_id cut = lz_link_effect_add(s.w, &e);
        for (uint64_t k = 0; k < (rows[i].nodes_down > 0 ? 1 : rows[i].writes); k++)
            stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k, .value = k});
        stage_run(&s, 8 * LZ_S);
        assert_int_equal(lz_consensus_leader(s.w, s.g->id), first);
        assert_true(leader->commit < leader->log.last);
        lz_link_effect_remove(s.w, cut);
        stage_run(&s, 10 * LZ_S);
        assert_true(touched > 0);
        assert_int_equal(leader->commit, leader->log.last);
        for (uint32_t n = 1; n < 3; n++)
            assert_int_equal(s.g->nodes[n].applied, leader->commit);
        lz_arena_destroy(s.arena);
    }
}

// A hundred and fifty rounds, and one that answers them while an entry is lost on its way to it:
// that is sent again after 200 ms.
static void rounds_of_reads_send_no_entries(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, 500 * LZ_US);
    struct lz_raft_node *leader = &s.g->nodes[0];
    lz_instance_id from = s.g->first, to = s.g->first + 2;
    uint64_t touched = 0;
    const struct lz_link_effect e = {.from = {.list = &from, .count = 1},
                                     .to = {.list = &to, .count = 1},
                                     .cut = LZ_LINK_CUT,
                                     .touched = &touched};
    stage_run(&s, LZ_S + 10 * LZ_MS);
    lz_link_effect_id cut = lz_link_effect_add(s.w, &e);
    stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 1});
    lz_link_effect_remove(s.w, cut);
    stage_run(&s, LZ_S + 20 * LZ_MS);
    assert_int_equal(touched, 1);
    assert_true(leader->peers[2].match < leader->log.last);
    uint64_t before = leader->messages;
    for (uint32_t k = 1; k <= 150; k++) {
        lz_raft_begin_round(s.w, s.g, 0);
        stage_run(&s, LZ_S + 20 * LZ_MS + k * LZ_MS);
    }
    assert_in_range(leader->peers[2].round, 148, 150);
    assert_true(leader->peers[2].match < leader->log.last);
    // Two for each round; a heartbeat, after which one is asked again.
    assert_int_equal(leader->messages - before, 300 + 2 + 1);
    stage_run(&s, 10 * LZ_S);
    assert_int_equal(leader->peers[2].match, leader->log.last);
    lz_arena_destroy(s.arena);
}

static void effects_nothing(struct lz_world *w, void *ctx, uint32_t node, uint64_t index,
                            const struct lz_raft_entry *e)
{
    (void)w;
    (void)ctx;
    (void)node;
    (void)index;
    (void)e;
}

static void note_readable(struct lz_world *w, void *ctx, uint32_t node, uint64_t task)
{
    assert_int_equal(node, 1);
    assert_int_equal(task, 77);
    *(lz_time *)ctx = lz_sim_now(w->sim);
}

// The leader's answer is cut as it is sent, and its connection given up a second later by TCP
// alone: who asked asks again with the first heartbeat that is half a second later
// (readIndexRetryTime).
static void what_must_be_applied_is_asked_again(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 3, .heartbeat = 40 * LZ_MS, .election = 60 * LZ_S};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    lz_instance_id leader = s.g->first, asker = s.g->first + 1;
    uint64_t touched = 0;
    const struct lz_link_effect e = {.from = {.list = &leader, .count = 1},
                                     .to = {.list = &asker, .count = 1},
                                     .cut = LZ_LINK_CUT,
                                     .touched = &touched};
    stage_run(&s, 2 * LZ_S + 5 * LZ_MS);
    lz_time answered = -1;
    s.g->host = (struct lz_consensus_host){
        .ctx = &answered, .applied = effects_nothing, .readable = note_readable};
    lz_raft_ask(s.w, s.g, 1, 77);
    const struct lz_raft_waiter *a = lz_pool_at(&s.g->waiters, s.g->nodes[1].waiters_first);
    assert_int_equal(a->waits, LZ_RAFT_WAITS_ASKED);
    assert_int_equal(a->asked, 2 * LZ_S + 5 * LZ_MS);
    // All that the leader says to it is gone for good: as with a connection that is given up.
    lz_link_effect_id cut = lz_link_effect_add(s.w, &e);
    stage_run(&s, 2 * LZ_S + 10 * LZ_MS);
    lz_bus_break(s.g->bus, 0, 1, 0);
    lz_link_effect_remove(s.w, cut);
    assert_true(touched > 0);
    stage_run(&s, 2 * LZ_S + 500 * LZ_MS); // heartbeats come meanwhile, and it does not ask
    assert_int_equal(a->waits, LZ_RAFT_WAITS_ASKED);
    assert_int_equal(a->asked, 2 * LZ_S + 5 * LZ_MS);
    stage_run(&s, 2 * LZ_S + 560 * LZ_MS);
    assert_in_range(answered, 2 * LZ_S + 505 * LZ_MS, 2 * LZ_S + 555 * LZ_MS);
    lz_arena_destroy(s.arena);
}

// What its nodes have said, and what waits for their disks, is memory of the group's.
static void messages_are_counted_as_memory(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, 500 * LZ_MS);
    size_t bus = lz_bus_bytes(s.g->bus), all = lz_consensus_bytes(s.w, s.g->id);
    for (uint32_t k = 0; k < 100; k++)
        (void)lz_raft_message(s.w, s.g, 0, 1, LZ_RAFT_BEAT);
    assert_int_equal(lz_bus_bytes(s.g->bus), bus);
    assert_int_equal(lz_consensus_bytes(s.w, s.g->id), all + 100 * sizeof(struct lz_raft_message));
    lz_arena_destroy(s.arena);
}

// etcd's loop saves before it sends again: a leader whose disk stands still is silent, and another
// leads within the election timeouts that it was told of last. One whose disk takes less than an
// election timeout leads on, its heartbeats late. A disk that stands still campaigns for nobody.
static void a_disk_that_stands_still_ends_a_leader(void **state)
{
    static const struct {
        lz_time each; // a flush
        uint32_t node;
        bool another_leads;
    } rows[] = {{600 * LZ_MS, 0, false}, {20 * LZ_S, 0, true}, {20 * LZ_S, 2, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
        stage_ways(&s, 500 * LZ_US);
        uint64_t touched = 0;
        const struct lz_disk_effect slow = {
            .add = lz_dist_constant(rows[i].each), .path = 3, .touched = &touched};
        stage_run(&s, LZ_S);
        lz_disk_disturb(s.w, s.g->first + rows[i].node, &slow);
        uint64_t last = 0;
        for (uint32_t k = 1; k <= 50; k++) {
            uint64_t index =
                stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k, .value = k});
            last = index > 0 ? index : last;
            stage_run(&s, LZ_S + k * 100 * LZ_MS);
            // Before the shortest timeout nobody else can, after the longest somebody must.
            if (k == 10)
                assert_int_equal(lz_consensus_leader(s.w, s.g->id), s.g->first);
            if (k >= 22 && rows[i].another_leads)
                assert_int_not_equal(lz_consensus_leader(s.w, s.g->id), s.g->first);
        }
        assert_true(touched > 0);
        if (!rows[i].another_leads)
            assert_int_equal(lz_consensus_leader(s.w, s.g->id), s.g->first);
        assert_int_equal(s.g->nodes[1].hard.term, rows[i].another_leads ? 2 : 1);
        assert_true(s.g->nodes[1].commit + 12 > last); // the majority goes on
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_lost_is_asked_for_again),
        cmocka_unit_test(rounds_of_reads_send_no_entries),
        cmocka_unit_test(what_must_be_applied_is_asked_again),
        cmocka_unit_test(a_disk_that_stands_still_ends_a_leader),
        cmocka_unit_test(messages_are_counted_as_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
