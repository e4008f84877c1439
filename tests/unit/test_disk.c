/*
 * Disks: how long operations take, which fail, and what is there after the power was lost.
 *
 * Method: operations are started by hand on a node that nobody calls; their ends are logged with
 * the millisecond, failures with an `x`.
 */
#include "model/node/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/data/database.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id db;
    lz_instance_id id;
    lz_kind done, failed;
    uint64_t touched, next;
    char log[256];
    struct lz_err err;
};

static void add(struct stage *s, uint64_t payload, const char *mark)
{
    size_t used = strlen(s->log);
    snprintf(s->log + used, sizeof(s->log) - used, "%s%llu:%g ", mark, (unsigned long long)payload,
             (double)lz_sim_now(s->w->sim) / 1e6);
}

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    add(ctx, payload, "");
}

static void on_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    add(ctx, payload, "x");
}

static void make(struct stage *s, const struct lz_disk_opts *opts)
{
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &s->err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = 10000 * LZ_S});
    s->done = lz_sim_kind(s->w->sim, "done", on_done, s);
    s->failed = lz_sim_kind(s->w->sim, "failed", on_failed, s);
    const struct lz_database_opts db = {.name = "db", .nodes = 1};
    assert_true(lz_database_create(s->w, &db, &s->db, &s->err));
    s->id = lz_world_component(s->w, s->db)->instances_first;
    if (opts != NULL)
        assert_true(lz_disk_declare(s->w, s->db, opts, &s->err));
}

static void start(struct stage *s, enum lz_disk_op op, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t n = ++s->next;
        lz_disk_start(
            s->w, s->id,
            &(struct lz_disk_request){
                .op = op, .owner = n, .done = s->done, .failed = s->failed, .payload = n});
    }
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static uint32_t disturb(struct stage *s, struct lz_disk_effect e)
{
    e.touched = &s->touched;
    e.path = 7;
    return lz_disk_disturb(s->w, s->id, &e);
}

static void operations_take_turns_and_then_their_latency(void **state)
{
    (void)state;
    static const struct {
        struct lz_disk_opts opts;
        const char *log;
    } rows[] = {
        {{.latency = {.kind = LZ_DIST_CONSTANT, .a = 2e6}}, "1:2 2:2 3:2 "},
        {{.iops = 1000}, "1:1 2:2 3:3 "},
        {{.iops = 1000, .latency = {.kind = LZ_DIST_CONSTANT, .a = 2e6}}, "1:3 2:4 3:5 "},
        {{.bandwidth = 1e6, .write_bytes = 5000}, "1:5 2:10 3:15 "},
        {{.iops = 1000, .bandwidth = 1e6, .write_bytes = 1000}, "1:2 2:4 3:6 "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, &rows[i].opts);
        start(&s, LZ_DISK_FSYNC, 3);
        run(&s, LZ_S);
        assert_string_equal(s.log, rows[i].log);
        lz_arena_destroy(s.arena);
    }
}

// A limit that is lifted lets go at once what it held back, and one that is set holds back what
// waits already: of what has its turn, the part that is left.
static void a_limit_is_for_what_waits_too(void **state)
{
    (void)state;
    static const struct {
        double iops; // of the disk; 0: no limit
        double limit;
        lz_time from, to; // ms
        const char *log;
    } rows[] = {
        {0, 10, 0, 250, "1:100 2:200 3:250 4:250 "},
        {100, 10, 0, 250, "1:100 2:200 3:255 4:265 "}, // half of the third was done
        {10, 1, 150, 650, "1:100 2:650 3:750 4:850 "}, // half of the second at a tenth
        {10, 1, 150, 100150, "1:100 2:650 3:1650 4:2650 "},
        {0, 10, 1000, 1250, "1:0 2:0 3:0 4:0 "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, &(struct lz_disk_opts){.iops = rows[i].iops});
        uint32_t fault = 0;
        if (rows[i].from == 0)
            fault = disturb(&s, (struct lz_disk_effect){.iops = rows[i].limit});
        start(&s, LZ_DISK_FSYNC, 4);
        run(&s, rows[i].from * LZ_MS);
        if (rows[i].from > 0)
            fault = disturb(&s, (struct lz_disk_effect){.iops = rows[i].limit});
        run(&s, rows[i].to * LZ_MS);
        lz_disk_undo(s.w, s.id, fault);
        run(&s, 1000 * LZ_S);
        assert_string_equal(s.log, rows[i].log);
        lz_arena_destroy(s.arena);
    }
}

static void a_fault_slows_hangs_and_fails(void **state)
{
    (void)state;
    static const struct {
        struct lz_disk_effect e;
        enum lz_disk_op op;
        const char *during, *after;
    } rows[] = {
        {{.add = {.kind = LZ_DIST_CONSTANT, .a = 10e6}}, LZ_DISK_READ, "1:12 2:12 ", "3:1002 "},
        {{.factor = 4}, LZ_DISK_READ, "1:8 2:8 ", "3:1002 "},
        {{.iops = 100}, LZ_DISK_READ, "1:12 2:22 ", "3:1002 "},
        {{.freezes = true}, LZ_DISK_READ, "", "1:1002 2:1002 3:1002 "},
        {{.is_detached = true}, LZ_DISK_READ, "x1:0 x2:0 ", "3:1002 "},
        {{.is_full = true}, LZ_DISK_FSYNC, "x1:0 x2:0 ", "3:1002 "},
        {{.is_full = true}, LZ_DISK_READ, "1:2 2:2 ", "3:1002 "}, // who reads needs no room
        {{.is_full = true, .keep = 10000}, LZ_DISK_WRITE, "x2:0 1:2 ", "3:1002 "}, // room for one
        {{.error_ratio = 1}, LZ_DISK_READ, "x1:0 x2:0 ", "3:1002 "},
        {{.error_ratio = 1, .operations = 1u << LZ_DISK_FSYNC},
         LZ_DISK_READ,
         "1:2 2:2 ",
         "3:1002 "},
        {{.corrupt = 1}, LZ_DISK_READ, "1:2 2:2 ", "3:1002 "}, // and nobody knows
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, &(struct lz_disk_opts){.latency = {.kind = LZ_DIST_CONSTANT, .a = 2e6}});
        uint32_t fault = disturb(&s, rows[i].e);
        start(&s, rows[i].op, 2);
        run(&s, LZ_S);
        assert_string_equal(s.log, rows[i].during);
        s.log[0] = '\0';
        lz_disk_undo(s.w, s.id, fault);
        start(&s, rows[i].op, 1);
        run(&s, 2 * LZ_S);
        assert_string_equal(s.log, rows[i].after);
        lz_arena_destroy(s.arena);
    }
}

static void checksums_make_a_changed_page_an_error(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct lz_disk_opts){.checksums = true});
    disturb(&s, (struct lz_disk_effect){.corrupt = 1});
    start(&s, LZ_DISK_READ, 1);
    run(&s, LZ_S);
    assert_string_equal(s.log, "x1:0 ");
    assert_int_equal(s.touched, 1);
    lz_arena_destroy(s.arena);
}

static void a_lie_holds_until_an_honest_flush(void **state)
{
    (void)state;
    struct stage s;
    make(&s, NULL);
    lz_disk_flushed(s.w, s.id, 1);
    uint32_t lie = disturb(&s, (struct lz_disk_effect){.lies = true});
    lz_disk_flushed(s.w, s.id, 2);
    lz_disk_flushed(s.w, s.id, 3);
    assert_int_equal(lz_disk_durable(s.w, s.id, 3), 1);
    assert_int_equal(s.touched, 2);
    lz_disk_undo(s.w, s.id, lie);
    assert_int_equal(lz_disk_durable(s.w, s.id, 3), 1); // nobody has flushed since
    lz_disk_flushed(s.w, s.id, 4);
    assert_int_equal(lz_disk_durable(s.w, s.id, 4), 4);
    lz_arena_destroy(s.arena);
}

static void a_lost_write_takes_what_is_behind_it_until_a_checkpoint(void **state)
{
    (void)state;
    struct stage s;
    make(&s, NULL);
    lz_disk_flushed(s.w, s.id, 1);
    uint32_t loss = disturb(&s, (struct lz_disk_effect){.loses = 1});
    lz_disk_flushed(s.w, s.id, 2);
    lz_disk_undo(s.w, s.id, loss);
    lz_disk_flushed(s.w, s.id, 3);
    assert_int_equal(lz_disk_durable(s.w, s.id, 3), 1);
    run(&s, 301 * LZ_S);
    lz_disk_flushed(s.w, s.id, 4);
    assert_int_equal(lz_disk_durable(s.w, s.id, 4), 4);
    lz_arena_destroy(s.arena);
}

static void what_is_written_anew_is_on_the_disk_unless_it_lies_now(void **state)
{
    (void)state;
    static const struct {
        struct lz_disk_effect e;
        bool is_over;  // before all is written anew
        uint64_t kept; // of three
    } rows[] = {
        {{.lies = true}, false, 1},
        {{.lies = true}, true, 3},
        {{.loses = 1}, false, 3},
        {{.loses = 1}, true, 3},
        {{.lies = true, .loses = 1}, false, 1},
        {{.tears = true, .loses = 1}, false, 3},
        {{.tears = true, .lies = true}, false, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, NULL);
        lz_disk_flushed(s.w, s.id, 1);
        uint32_t fault = disturb(&s, rows[i].e);
        lz_disk_flushed(s.w, s.id, 2);
        lz_disk_flushed(s.w, s.id, 3);
        assert_int_equal(lz_disk_durable(s.w, s.id, 3), 1);
        if (rows[i].is_over)
            lz_disk_undo(s.w, s.id, fault);
        lz_disk_written_anew(s.w, s.id);
        assert_int_equal(lz_disk_durable(s.w, s.id, 3), rows[i].kept);
        lz_arena_destroy(s.arena);
    }
}

static void a_torn_write_is_the_last_one(void **state)
{
    (void)state;
    struct stage s;
    make(&s, NULL);
    uint32_t tear = disturb(&s, (struct lz_disk_effect){.tears = true});
    lz_disk_flushed(s.w, s.id, 1);
    lz_disk_flushed(s.w, s.id, 2);
    assert_int_equal(lz_disk_durable(s.w, s.id, 2), 1);
    lz_disk_undo(s.w, s.id, tear);
    assert_int_equal(lz_disk_durable(s.w, s.id, 2), 2);
    lz_arena_destroy(s.arena);
}

static void recovery_leaves_no_record_to_be_torn_but_the_next(void **state)
{
    (void)state;
    struct stage s;
    make(&s, NULL);
    disturb(&s, (struct lz_disk_effect){.tears = true});
    lz_disk_flushed(s.w, s.id, 2);
    assert_int_equal(lz_disk_durable(s.w, s.id, 2), 1);
    lz_disk_written_anew(s.w, s.id);
    assert_int_equal(lz_disk_durable(s.w, s.id, 2), 2);
    lz_disk_flushed(s.w, s.id, 3);
    assert_int_equal(lz_disk_durable(s.w, s.id, 3), 2);
    lz_arena_destroy(s.arena);
}

// Log segments, and whatever else is written later where it has its room.
static void room_is_taken_ahead_and_given_back(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct lz_disk_opts){.size = 30, .used = 10, .write_bytes = 8});
    assert_true(lz_disk_take(s.w, s.id, 15));
    assert_false(lz_disk_take(s.w, s.id, 6)); // 5 are free
    lz_disk_start(s.w, s.id,
                  &(struct lz_disk_request){.op = LZ_DISK_FSYNC,
                                            .is_in_place = true,
                                            .done = s.done,
                                            .failed = s.failed,
                                            .payload = 1});
    start(&s, LZ_DISK_FSYNC, 1); // it needs 8 more
    run(&s, LZ_S);
    assert_string_equal(s.log, "1:0 x1:0 ");
    assert_true(lz_disk_take(s.w, s.id, 5)); // what was in place took none
    lz_disk_give(s.w, s.id, 20);

    uint32_t fault = disturb(&s, (struct lz_disk_effect){.is_full = true});
    assert_false(lz_disk_take(s.w, s.id, 1));
    assert_int_equal(s.touched, 1);
    lz_disk_undo(s.w, s.id, fault);
    assert_true(lz_disk_take(s.w, s.id, 20));
    lz_arena_destroy(s.arena);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_disk_opts opts;
        const char *says;
    } cases[] = {
        {{.iops = 1e10}, "iops must be at most 1e9"},
        {{.size = 10, .used = 20}, "20 bytes are used of 10"},
        {{.used = 20}, "`used` needs the `size`"},
        {{.bandwidth = -1}, "bandwidth must be at most"},
    };
    struct stage s;
    make(&s, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(lz_disk_declare(s.w, s.db, &cases[i].opts, &s.err));
        assert_non_null(strstr(s.err.msg, cases[i].says));
    }
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_take_turns_and_then_their_latency),
        cmocka_unit_test(a_limit_is_for_what_waits_too),
        cmocka_unit_test(a_fault_slows_hangs_and_fails),
        cmocka_unit_test(checksums_make_a_changed_page_an_error),
        cmocka_unit_test(a_lie_holds_until_an_honest_flush),
        cmocka_unit_test(a_lost_write_takes_what_is_behind_it_until_a_checkpoint),
        cmocka_unit_test(what_is_written_anew_is_on_the_disk_unless_it_lies_now),
        cmocka_unit_test(a_torn_write_is_the_last_one),
        cmocka_unit_test(recovery_leaves_no_record_to_be_torn_but_the_next),
        cmocka_unit_test(room_is_taken_ahead_and_given_back),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
