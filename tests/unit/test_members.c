/*
 * Members of a group that come and go, a lead that is handed over, and groups that begin from a
 * snapshot: Raft's safety while that meets random faults, the bug of 2015 in both forms, exact
 * times, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consensus_stage.h"
#include "model/node/capacity.h"
#include "model/node/cpu.h"

static const struct lz_raft_node *node_of(const struct stage *s, uint32_t n)
{
    return &s->g->nodes[n];
}

static uint32_t leader_of(const struct stage *s)
{
    lz_instance_id leader = lz_consensus_leader(s->w, s->g->id);
    assert_int_not_equal(leader, 0);
    return leader - s->g->first;
}

static void change(struct stage *s, enum lz_member_change what, uint32_t node)
{
    if (!lz_consensus_change(s->w, s->g->id, what, node, &s->err))
        fail_msg("%s", s->err.msg);
}

static void refused(struct stage *s, enum lz_member_change what, uint32_t node, const char *why)
{
    assert_false(lz_consensus_change(s->w, s->g->id, what, node, &s->err));
    if (strstr(s->err.msg, why) == NULL)
        fail_msg("%s, and not: %s", s->err.msg, why);
}

// What `from` sends does not come to `to`.
static lz_link_effect_id cut(struct stage *s, uint32_t from, uint32_t to, bool both_ways)
{
    static uint64_t touched;
    static lz_instance_id places[64];
    static uint32_t count;
    lz_instance_id *a = &places[count++ % 64], *b = &places[count++ % 64];
    *a = s->g->first + from;
    *b = s->g->first + to;
    return lz_link_effect_add(s->w, &(struct lz_link_effect){.from = {.list = a, .count = 1},
                                                             .to = {.list = b, .count = 1},
                                                             .both_ways = both_ways,
                                                             .cut = LZ_LINK_CUT,
                                                             .touched = &touched});
}

static void rafts_invariants_hold_while_members_come_and_go(void **state)
{
    (void)state;
    static const struct lz_consensus_opts kinds[] = {
        {.nodes = 5, .members = 3},
        {.nodes = 6, .members = 2, .no_pre_vote = true},
        {.nodes = 5, .members = 4, .snapshot_every = 7, .snapshot_keep = 2},
        // Without the quorum check who was removed and has not heard of it may disturb for ever.
        {.nodes = 4, .members = 3, .no_pre_vote = true},
        {.nodes = 3, .members = 1},
    };
    struct tempest total = {0};
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct tempest seen = {0};
        const char *wrong = stage_storm(&kinds[seed % 5], seed, &seen);
        if (wrong != NULL)
            fail_msg("seed %llu: %s", (unsigned long long)seed, wrong);
        total.committed += seen.committed;
        total.changes += seen.changes;
        total.transfers += seen.transfers;
    }
    assert_in_range(total.committed, 100 * 20, UINT64_MAX);
    assert_in_range(total.changes, 100 * 2, UINT64_MAX);
    assert_in_range(total.transfers, 100 * 2, UINT64_MAX);
}

/*
 * Ongaro's example (raft-dev, 10 July 2015), of four and a fifth: 1 has begun to add the fifth and
 * is cut off; 2 leads, and removes the fourth before anything of its own term is committed. Both
 * changes have majorities that share nobody.
 */
static const char *bug_of_2015(bool is_mended)
{
    struct stage s =
        stage_make(&(struct lz_consensus_opts){.nodes = 5, .members = 4}, 1, 1000 * LZ_S);
    stage_ways(&s, LZ_MS);
    static struct lz_raft_entry entries[64];
    static uint64_t hashes[64];
    memset(entries, 0, sizeof(entries));
    memset(hashes, 0, sizeof(hashes));
    struct witness v = {.committed = entries, .applied_hash = hashes, .cap = 64};
    const char *wrong = NULL;
    stage_run(&s, LZ_S);
    lz_link_effect_id away[3];
    for (uint32_t n = 1; n <= 3; n++)
        away[n - 1] = cut(&s, 0, n, true);
    change(&s, LZ_MEMBER_ADD, 5);
    stage_run(&s, LZ_S + 10 * LZ_MS);
    assert_int_equal(node_of(&s, 4)->log.last, node_of(&s, 0)->log.last);
    lz_raft_campaign(s.w, s.g, 1, LZ_RAFT_TRANSFER);
    stage_run(&s, LZ_S + 11 * LZ_MS + LZ_MS / 2);
    (void)cut(&s, 1, 3, false); // it has been asked for its vote, and hears no more
    stage_run(&s, LZ_S + 13 * LZ_MS);
    assert_int_equal(node_of(&s, 1)->role, LZ_RAFT_LEADER);
    if (is_mended)
        refused(&s, LZ_MEMBER_REMOVE, 4, "has committed nothing in its own term yet");
    else
        (void)lz_raft_propose(s.w, s.g, 1,
                              &(struct lz_raft_entry){.op = LZ_RAFT_CONFIG, .value = 0x7});
    stage_run(&s, LZ_S + 20 * LZ_MS);
    wrong = stage_unsafe(&s, &v);
    assert_int_equal(node_of(&s, 1)->commit, is_mended ? 2 : 4);
    lz_instance_kill(s.w, s.g->first + 1);
    (void)cut(&s, 2, 3, true);
    (void)cut(&s, 2, 4, true);
    lz_link_effect_remove(s.w, away[2]);
    for (lz_time now = 2 * LZ_S; now < 30 * LZ_S && wrong == NULL; now += 100 * LZ_MS) {
        stage_run(&s, now);
        wrong = stage_unsafe(&s, &v);
    }
    lz_arena_destroy(s.arena);
    return wrong;
}

static void the_bug_of_2015_is_there_without_its_remedy(void **state)
{
    (void)state;
    assert_null(bug_of_2015(true));
    const char *wrong = bug_of_2015(false);
    assert_non_null(wrong);
    assert_string_equal(wrong, "another entry committed at an index");
}

// Thesis, 3.10: TimeoutNow, a request for votes and an answer: three times one way.
static void a_lead_is_handed_over_in_three_messages(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, 5 * LZ_S);
    assert_int_equal(leader_of(&s), 0);
    assert_true(lz_consensus_transfer(s.w, s.g->id, 3, &s.err));
    stage_run(&s, 5 * LZ_S + 3 * LZ_MS - 1);
    assert_int_not_equal(node_of(&s, 2)->role, LZ_RAFT_LEADER);
    stage_run(&s, 5 * LZ_S + 3 * LZ_MS);
    assert_int_equal(leader_of(&s), 2);
    assert_int_equal(node_of(&s, 0)->role, LZ_RAFT_FOLLOWER);
    stage_run(&s, 6 * LZ_S);
    assert_false(lz_consensus_transfer(s.w, s.g->id, 3, &s.err));
    assert_string_equal(s.err.msg, "etcd[3] leads already");
    lz_arena_destroy(s.arena);
}

static void who_lacks_entries_gets_them_before_it_leads(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    uint64_t index = 0;
    for (uint64_t k = 0; k < 100; k++)
        index = stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k});
    assert_true(lz_consensus_transfer(s.w, s.g->id, 2, &s.err));
    stage_run(&s, LZ_S + 20 * LZ_MS);
    assert_int_equal(leader_of(&s), 1);
    assert_true(node_of(&s, 1)->commit >= index);
    lz_arena_destroy(s.arena);
}

// Given up after an election timeout: it takes writes again, but relies on its clock no more.
static void a_leader_that_cannot_hand_over_goes_on(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 3, .reads = LZ_READS_LEASE};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    assert_true(lz_raft_has_lease(s.w, s.g, 0));
    (void)cut(&s, 0, 2, true);
    assert_true(lz_consensus_transfer(s.w, s.g->id, 3, &s.err));
    assert_false(lz_consensus_leads(s.w, s.g->id, 0));
    stage_run(&s, LZ_S + 900 * LZ_MS);
    assert_false(lz_consensus_leads(s.w, s.g->id, 0));
    stage_run(&s, LZ_S + 1100 * LZ_MS);
    assert_true(lz_consensus_leads(s.w, s.g->id, 0));
    assert_false(lz_raft_has_lease(s.w, s.g, 0));
    lz_arena_destroy(s.arena);
}

static void who_comes_learns_first_and_who_goes_is_told(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {
        .nodes = 4, .members = 3, .snapshot_every = 10, .snapshot_keep = 2};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    for (uint64_t k = 0; k < 50; k++)
        (void)stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k});
    stage_run(&s, 2 * LZ_S);
    assert_false(node_of(&s, 3)->is_on);
    change(&s, LZ_MEMBER_ADD_LEARNER, 4);
    stage_run(&s, 2 * LZ_S + LZ_MS / 2);
    refused(&s, LZ_MEMBER_PROMOTE, 4, "is under way");
    stage_run(&s, 3 * LZ_S);
    assert_int_equal(node_of(&s, 3)->applied, node_of(&s, 0)->applied);
    assert_int_equal(lz_raft_voters(node_of(&s, 0)), 0x7);
    change(&s, LZ_MEMBER_PROMOTE, 4);
    stage_run(&s, 4 * LZ_S);
    assert_int_equal(lz_raft_voters(node_of(&s, 3)), 0xf);
    change(&s, LZ_MEMBER_REMOVE, 1); // who leads
    stage_run(&s, 10 * LZ_S);
    assert_false(node_of(&s, 0)->is_on);
    assert_int_not_equal(leader_of(&s), 0);
    assert_int_equal(lz_raft_voters(node_of(&s, leader_of(&s))), 0xe);
    refused(&s, LZ_MEMBER_REMOVE, 1, "it is no member");
    lz_arena_destroy(s.arena);
}

// Two of three are gone: nothing that is asked is committed until one is back.
static void a_change_waits_for_a_majority(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 4, .members = 3, .no_check_quorum = true};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_run(&s, LZ_S);
    lz_instance_kill(s.w, s.g->first + 1);
    lz_instance_kill(s.w, s.g->first + 2);
    change(&s, LZ_MEMBER_ADD, 4);
    uint64_t index = node_of(&s, 0)->log.last;
    stage_run(&s, 20 * LZ_S);
    assert_true(node_of(&s, 0)->commit < index); // two of four
    refused(&s, LZ_MEMBER_REMOVE, 4, "is under way");
    lz_instance_restart(s.w, s.g->first + 2);
    stage_run(&s, 30 * LZ_S);
    assert_true(node_of(&s, leader_of(&s))->commit >= index);
    change(&s, LZ_MEMBER_REMOVE, 4);
    lz_arena_destroy(s.arena);
}

static void a_learner_that_starts_again_goes_on_learning(void **state)
{
    (void)state;
    struct stage s =
        stage_make(&(struct lz_consensus_opts){.nodes = 4, .members = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    change(&s, LZ_MEMBER_ADD_LEARNER, 4);
    stage_run(&s, 2 * LZ_S);
    lz_instance_kill(s.w, s.g->first + 3);
    uint64_t index = 0;
    for (uint64_t k = 0; k < 50; k++)
        index = stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k});
    stage_run(&s, 5 * LZ_S);
    assert_true(node_of(&s, 0)->commit >= index); // it is not asked
    refused(&s, LZ_MEMBER_PROMOTE, 4, "in sync with the leader");
    lz_instance_restart(s.w, s.g->first + 3);
    stage_run(&s, 9 * LZ_S);
    assert_true(node_of(&s, 3)->applied >= index);
    assert_int_equal(node_of(&s, 3)->role, LZ_RAFT_FOLLOWER);
    lz_arena_destroy(s.arena);
}

static void a_restored_group_is_another_cluster(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    uint64_t index = 0;
    assert_false(lz_consensus_restore(s.w, s.g->id, &s.err));
    assert_non_null(strstr(s.err.msg, "call snapshot_save first"));
    (void)stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 11});
    stage_run(&s, 2 * LZ_S);
    assert_true(lz_consensus_save(s.w, s.g->id, 0, &index, &s.err));
    uint64_t last =
        stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = 1, .value = 12});
    stage_run(&s, 3 * LZ_S);
    lz_instance_lose(s.w, s.g->first + 2);
    assert_true(lz_consensus_restore(s.w, s.g->id, &s.err));
    stage_run(&s, 8 * LZ_S);
    lz_instance_return(s.w, s.g->first + 2);
    stage_run(&s, 20 * LZ_S);
    const struct lz_raft_node *leader = node_of(&s, leader_of(&s));
    assert_int_equal(lz_raft_machine_get(&leader->machine, 1)->value, 11);
    assert_true(leader->log.base > last); // what was there is not counted again
    assert_int_equal(lz_raft_voters(leader), 0x3);
    assert_int_equal(lz_raft_machine_get(&node_of(&s, 2)->snapshot, 1) == NULL, 1);
    assert_true(node_of(&s, 2)->applied < leader->log.base);
    change(&s, LZ_MEMBER_ADD, 3);
    stage_run(&s, 25 * LZ_S);
    assert_int_equal(lz_raft_machine_get(&node_of(&s, 2)->machine, 1)->value, 11);
    lz_arena_destroy(s.arena);
}

// etcd: "too many learner members in cluster".
static void one_learns_at_a_time(void **state)
{
    (void)state;
    struct stage s =
        stage_make(&(struct lz_consensus_opts){.nodes = 5, .members = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    change(&s, LZ_MEMBER_ADD_LEARNER, 4);
    stage_run(&s, 2 * LZ_S);
    refused(&s, LZ_MEMBER_ADD_LEARNER, 5, "etcd[5]: too many learner members in cluster");
    change(&s, LZ_MEMBER_PROMOTE, 4);
    stage_run(&s, 3 * LZ_S);
    change(&s, LZ_MEMBER_ADD_LEARNER, 5);
    lz_arena_destroy(s.arena);
}

// Back, it asks for votes with a higher term, and is told before it has disturbed anybody.
static void who_was_removed_while_it_was_down_leaves(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    lz_instance_kill(s.w, s.g->first + 2);
    stage_run(&s, 2 * LZ_S);
    change(&s, LZ_MEMBER_REMOVE, 3);
    stage_run(&s, 3 * LZ_S);
    uint64_t term = node_of(&s, 0)->hard.term;
    lz_instance_restart(s.w, s.g->first + 2);
    stage_run(&s, 20 * LZ_S);
    assert_false(node_of(&s, 2)->is_on);
    assert_false(node_of(&s, 2)->is_member);
    assert_int_equal(node_of(&s, 0)->hard.term, term);
    lz_arena_destroy(s.arena);
}

// What it is sent is the whole state, and no entry that says that it is added.
static void who_is_added_while_it_is_down_is_shown(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {
        .nodes = 4, .members = 3, .snapshot_every = 10, .snapshot_keep = 2};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    lz_instance_kill(s.w, s.g->first + 3);
    change(&s, LZ_MEMBER_ADD, 4);
    stage_run(&s, 2 * LZ_S);
    for (uint64_t k = 0; k < 100; k++)
        (void)stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k});
    stage_run(&s, 3 * LZ_S);
    lz_instance_restart(s.w, s.g->first + 3);
    stage_run(&s, 20 * LZ_S);
    assert_int_equal(lz_raft_voters(node_of(&s, 3)), 0xf);
    assert_false(lz_instance_get(s.w, s.g->first + 3)->is_out);
    lz_arena_destroy(s.arena);
}

static void who_leaves_gives_back_its_cpu(void **state)
{
    (void)state;
    const struct lz_consensus_opts o = {.nodes = 4,
                                        .cpu = 1,
                                        .snapshot_every = 10,
                                        .snapshot_keep = 2,
                                        .snapshot_time = lz_dist_constant(2 * LZ_S)};
    struct stage s = stage_make(&o, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, LZ_S);
    for (uint64_t k = 0; k < 30; k++)
        (void)stage_propose(&s, &(struct lz_raft_entry){.op = LZ_RAFT_PUT, .key = k});
    stage_run(&s, LZ_S + 100 * LZ_MS);
    assert_int_not_equal(node_of(&s, 3)->snapshot_job, 0);
    change(&s, LZ_MEMBER_REMOVE, 4);
    stage_run(&s, 20 * LZ_S);
    assert_false(node_of(&s, 3)->is_on);
    assert_true(lz_cpu_busy(node_of(&s, 3)->capacity->cpu) == 0.0);
    lz_arena_destroy(s.arena);
}

// Nobody who asks again and again keeps a group from taking writes.
static void a_handover_that_is_asked_for_again_has_the_time_it_had(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_ways(&s, LZ_MS);
    stage_run(&s, 2 * LZ_S);
    lz_instance_kill(s.w, s.g->first + 2);
    uint32_t leads = 0;
    for (lz_time i = 1; i <= 20; i++) {
        assert_true(lz_consensus_transfer(s.w, s.g->id, 3, &s.err));
        stage_run(&s, 2 * LZ_S + i * 500 * LZ_MS);
        leads += lz_consensus_leads(s.w, s.g->id, 0);
    }
    assert_in_range(leads, 5, 20);
    lz_arena_destroy(s.arena);
}

static void a_paused_process_gives_no_snapshot(void **state)
{
    (void)state;
    struct stage s = stage_make(&(struct lz_consensus_opts){.nodes = 3}, 1, 100 * LZ_S);
    stage_run(&s, 2 * LZ_S);
    uint64_t index = 0;
    lz_instance_pause(s.w, s.g->first + 2);
    assert_false(lz_consensus_save(s.w, s.g->id, 3, &index, &s.err));
    assert_string_equal(s.err.msg, "etcd[3] is paused: it cannot give its state");
    lz_arena_destroy(s.arena);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum lz_member_change what;
        uint32_t node;
        const char *why;
    } rows[] = {
        {LZ_MEMBER_ADD, 5, "etcd has nodes 1 to 4, got 5"},
        {LZ_MEMBER_ADD, 2, "it is a member already, as a voter"},
        {LZ_MEMBER_PROMOTE, 1, "only a learner can be promoted, and it is a voter"},
        {LZ_MEMBER_PROMOTE, 4, "it is no member"},
        {LZ_MEMBER_REMOVE, 3, "it is no member"},
    };
    struct stage s =
        stage_make(&(struct lz_consensus_opts){.nodes = 4, .members = 2}, 1, 100 * LZ_S);
    stage_run(&s, LZ_S);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(&s, rows[i].what, rows[i].node, rows[i].why);
    assert_false(lz_consensus_transfer(s.w, s.g->id, 4, &s.err));
    assert_string_equal(s.err.msg, "etcd[4] does not vote, so it cannot lead");
    change(&s, LZ_MEMBER_REMOVE, 2);
    stage_run(&s, 2 * LZ_S);
    refused(&s, LZ_MEMBER_REMOVE, 1, "it is the last that votes");
    lz_instance_kill(s.w, s.g->first);
    refused(&s, LZ_MEMBER_ADD, 2, "etcd has no leader");
    lz_component_id id;
    const struct lz_consensus_opts many = {.name = "a", .nodes = 3, .members = 4};
    assert_false(lz_consensus_create(s.w, &many, &id, &s.err));
    assert_string_equal(s.err.msg, "members must be at most nodes, 3, got 4");
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rafts_invariants_hold_while_members_come_and_go),
        cmocka_unit_test(the_bug_of_2015_is_there_without_its_remedy),
        cmocka_unit_test(a_lead_is_handed_over_in_three_messages),
        cmocka_unit_test(who_lacks_entries_gets_them_before_it_leads),
        cmocka_unit_test(a_leader_that_cannot_hand_over_goes_on),
        cmocka_unit_test(who_comes_learns_first_and_who_goes_is_told),
        cmocka_unit_test(a_change_waits_for_a_majority),
        cmocka_unit_test(a_learner_that_starts_again_goes_on_learning),
        cmocka_unit_test(a_restored_group_is_another_cluster),
        cmocka_unit_test(one_learns_at_a_time),
        cmocka_unit_test(who_was_removed_while_it_was_down_leaves),
        cmocka_unit_test(who_is_added_while_it_is_down_is_shown),
        cmocka_unit_test(who_leaves_gives_back_its_cpu),
        cmocka_unit_test(a_handover_that_is_asked_for_again_has_the_time_it_had),
        cmocka_unit_test(a_paused_process_gives_no_snapshot),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
