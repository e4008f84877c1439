/*
 * Histories with known answers, and a search against all orders there are.
 *
 * Method: a table of histories in EDN with model, level and answer; each model says yes, no,
 * and, where it can, that it cannot tell. Then many small random histories of registers and
 * queues are answered by trying every order of their operations, and by the search.
 */
#include "check/history/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "check/history/history_read.h"
#include "check/history/linear.h"

#define I(p, f, v) "{:process " #p ", :type :invoke, :f :" #f ", :value " v "}\n"
#define OK(p, f, v) "{:process " #p ", :type :ok, :f :" #f ", :value " v "}\n"
#define FAIL(p, f, v) "{:process " #p ", :type :fail, :f :" #f ", :value " v "}\n"
#define INFO(p, f, v) "{:process " #p ", :type :info, :f :" #f ", :value " v "}\n"
#define DID(p, f, v) I(p, f, v) OK(p, f, v)
#define SAW(p, v) I(p, read, "nil") OK(p, read, v)
#define TXN(p, v) DID(p, txn, v)
#define ONE(f, v) /* process 1, in JSON, where nil is a value */                                   \
    "{\"process\":1,\"type\":\"invoke\",\"f\":\"" f "\",\"value\":" v "}\n"                        \
    "{\"process\":1,\"type\":\"ok\",\"f\":\"" f "\",\"value\":" v "}\n"
#define JSAW(key, v)                                                                               \
    "{:process 5, :type :invoke, :f :read, :key :" key ", :value nil}\n"                           \
    "{:process 5, :type :ok, :f :read, :key :" key ", :value " #v "}\n"
#define SUM(p, v, sum)                                                                             \
    I(p, add, #v) "{:process " #p ", :type :ok, :f :add, :value " #v ", :sum " #sum "}\n"
#define SEND(p, v, told) I(p, send, "[[:send 0 " v "]]") OK(p, send, "[[:send 0 " told "]]")
#define POLL(p, list) I(p, poll, "[[:poll]]") OK(p, poll, "[[:poll {0 " list "}]]")

static const struct row {
    const char *name, *model, *consistency;
    enum lz_verify_answer answer;
    const char *anomaly; // one of those found
    const char *text;
} rows[] = {
    {"a read sees what was written", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") SAW(1, "1")},
    {"a stale read", "register", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, write, "1") DID(0, write, "2") SAW(1, "1")},
    {"a concurrent write may come late", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") I(0, write, "2") SAW(1, "1") SAW(1, "2") OK(0, write, "2")},
    {"but what was seen is not unseen", "register", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, write, "1") I(0, write, "2") SAW(1, "2") SAW(1, "1") OK(0, write, "2")},
    {"an unknown write may come at the end", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") I(1, write, "2") INFO(1, write, "2") SAW(0, "1") SAW(0, "2")},
    {"an unknown write comes once", "register", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, write, "1") I(1, write, "2") INFO(1, write, "2") SAW(0, "2") DID(0, write, "3")
         SAW(0, "2")},
    {"two unknown writes of one value come twice", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") I(1, write, "2") I(2, write, "2") SAW(0, "2") DID(0, write, "3")
         SAW(0, "2")},
    {"a failed write did not happen", "register", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, write, "1") I(0, write, "2") FAIL(0, write, "2") SAW(1, "2")},
    {"a write of what is there is a write", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") I(1, write, "1") DID(0, write, "2") SAW(0, "1") OK(1, write, "1")},
    {"a cas that could not", "cas-register", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, write, "1") DID(1, cas, "[2 3]")},
    {"a cas that could", "cas-register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(1, cas, "[1 3]") SAW(0, "3")},
    {"an unknown write that nobody saw is no burden", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") I(1, write, "8") I(2, write, "9") SAW(0, "1")},
    {"one sees what it wrote", "read-your-writes", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(1, write, "2") SAW(1, "2") SAW(0, "2")},
    {"one does not see what it wrote", "read-your-writes", NULL, LZ_VERIFY_VIOLATED,
     "read-your-writes", DID(0, write, "1") DID(1, write, "2") SAW(1, "1")},
    {"one sees what came at the same time", "read-your-writes", NULL, LZ_VERIFY_HOLDS, NULL,
     I(0, write, "1") DID(1, write, "2") SAW(1, "1") OK(0, write, "1")},
    {"nobody reads what it wrote", "read-your-writes", NULL, LZ_VERIFY_UNKNOWN, NULL,
     DID(0, write, "1") SAW(1, "1")},
    {"reads go forward", "monotonic-reads", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(0, write, "2") SAW(1, "1") SAW(1, "2")},
    {"reads go back", "monotonic-reads", NULL, LZ_VERIFY_VIOLATED, "monotonic-reads",
     DID(0, write, "1") DID(0, write, "2") SAW(1, "2") SAW(1, "1")},
    {"another's reads may be older", "monotonic-reads", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(0, write, "2") SAW(1, "2") SAW(2, "1") SAW(1, "2")},
    {"nothing is there before it is written or once it is deleted", "monotonic-reads", NULL,
     LZ_VERIFY_HOLDS, NULL,
     ONE("read", "null") ONE("write", "1") ONE("read", "1") ONE("write", "null")
         ONE("read", "null")},
    {"two writes are seen in order", "monotonic-writes", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(0, write, "2") SAW(1, "1") SAW(1, "2")},
    {"two writes are seen the wrong way round", "monotonic-writes", NULL, LZ_VERIFY_VIOLATED,
     "monotonic-writes", DID(0, write, "1") DID(0, write, "2") SAW(1, "2") SAW(1, "1")},
    {"two writers have no order", "monotonic-writes", NULL, LZ_VERIFY_UNKNOWN, NULL,
     DID(0, write, "1") DID(2, write, "2") SAW(1, "2") SAW(1, "1")},
    {"a write follows what was read", "writes-follow-reads", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") DID(0, write, "2") SAW(1, "2") DID(1, write, "3") SAW(2, "3") SAW(2, "3")},
    {"a write does not follow what was read", "writes-follow-reads", NULL, LZ_VERIFY_VIOLATED,
     "writes-follow-reads",
     DID(0, write, "1") DID(0, write, "2") SAW(1, "2") DID(1, write, "3") SAW(2, "3") SAW(2, "1")},
    {"at last all see the same", "convergence", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "1") SAW(2, "4") DID(1, write, "2") SAW(1, "1") SAW(2, "1")},
    {"at last they see different values", "convergence", NULL, LZ_VERIFY_VIOLATED, "diverged",
     DID(0, write, "1") DID(1, write, "2") SAW(1, "2") SAW(2, "1")},
    {"nobody looked at last", "convergence", NULL, LZ_VERIFY_UNKNOWN, NULL,
     SAW(1, "0") DID(0, write, "1")},
    {"registers begin at 0", "cas-register", NULL, LZ_VERIFY_HOLDS, NULL, DID(1, cas, "[0 3]")},
    {"keys are apart", "register", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, write, "[:x 1]") DID(0, write, "[:y 2]") I(1, read, "[:x nil]") OK(1, read, "[:x 1]")},
    {"registers are changed together", "multi-register", NULL, LZ_VERIFY_VIOLATED,
     "not-linearizable", TXN(0, "[[:w :x 1] [:w :y 1]]") TXN(1, "[[:r :x 1] [:r :y 0]]")},
    {"a lock is held by one", "mutex", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, acquire, "nil") DID(1, acquire, "nil")},
    {"a lock is handed on", "mutex", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, acquire, "nil") I(1, acquire, "nil") DID(0, release, "nil") OK(1, acquire, "nil")},
    {"first in, first out", "fifo-queue", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, enqueue, "1") DID(0, enqueue, "2") DID(1, dequeue, "1") DID(1, dequeue, "2")},
    {"last in, first out", "fifo-queue", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, enqueue, "1") DID(0, enqueue, "2") DID(1, dequeue, "2")},
    {"appends are in order", "kv", NULL, LZ_VERIFY_VIOLATED, "not-linearizable",
     DID(0, append, "[:k \"a\"]") DID(0, append, "[:k \"b\"]") I(1, get, "[:k nil]")
         OK(1, get, "[:k \"ba\"]")},

    {"a dirty write", "list-append", "read-uncommitted", LZ_VERIFY_VIOLATED, "G0",
     I(0, txn, "[[:append 1 1] [:append 2 1]]") TXN(1, "[[:append 1 2] [:append 2 2]]")
         OK(0, txn, "[[:append 1 1] [:append 2 1]]") TXN(2, "[[:r 1 [1 2]] [:r 2 [2 1]]]")},
    {"an aborted read", "list-append", "read-committed", LZ_VERIFY_VIOLATED, "G1a",
     I(0, txn, "[[:append 1 1]]") FAIL(0, txn, "[[:append 1 1]]") TXN(1, "[[:r 1 [1]]]")},
    {"an intermediate read", "list-append", "read-committed", LZ_VERIFY_VIOLATED, "G1b",
     I(0, txn, "[[:append 1 1] [:append 1 2]]") TXN(1, "[[:r 1 [1]]]")
         OK(0, txn, "[[:append 1 1] [:append 1 2]]")},
    {"information flows in a circle", "list-append", "read-committed", LZ_VERIFY_VIOLATED, "G1c",
     I(0, txn, "[[:append 1 1] [:r 2 nil]]") I(1, txn, "[[:append 2 1] [:r 1 nil]]")
         OK(0, txn, "[[:append 1 1] [:r 2 [1]]]") OK(1, txn, "[[:append 2 1] [:r 1 [1]]]")},
    {"a read skew", "list-append", "snapshot-isolation", LZ_VERIFY_VIOLATED, "G-single",
     I(0, txn, "[[:r 1 nil] [:r 2 nil]]") TXN(1, "[[:append 1 1] [:append 2 1]]")
         OK(0, txn, "[[:r 1 []] [:r 2 [1]]]")},
    {"a write skew is no serial order", "list-append", "serializable", LZ_VERIFY_VIOLATED,
     "G2-item",
     I(0, txn, "[[:r 1 nil] [:append 2 1]]") I(1, txn, "[[:r 2 nil] [:append 1 1]]")
         OK(0, txn, "[[:r 1 []] [:append 2 1]]") OK(1, txn, "[[:r 2 []] [:append 1 1]]")},
    {"snapshots allow a write skew", "list-append", "snapshot-isolation", LZ_VERIFY_HOLDS,
     "G2-item",
     I(0, txn, "[[:r 1 nil] [:append 2 1]]") I(1, txn, "[[:r 2 nil] [:append 1 1]]")
         OK(0, txn, "[[:r 1 []] [:append 2 1]]") OK(1, txn, "[[:r 2 []] [:append 1 1]]")},
    {"a stale read is serializable", "list-append", "serializable", LZ_VERIFY_HOLDS, NULL,
     TXN(0, "[[:append 1 1]]") TXN(1, "[[:r 1 []]]")},
    {"and not strictly", "list-append", NULL, LZ_VERIFY_VIOLATED, "G-single-realtime",
     TXN(0, "[[:append 1 1]]") TXN(1, "[[:r 1 []]]")},
    {"a session does not see its own", "list-append", "strong-session-serializable",
     LZ_VERIFY_VIOLATED, "G-single-process", TXN(0, "[[:append 1 1]]") TXN(0, "[[:r 1 []]]")},
    {"a transaction does not see its own", "list-append", "read-uncommitted", LZ_VERIFY_VIOLATED,
     "internal", TXN(0, "[[:append 1 1] [:r 1 []]]")},
    {"two orders of one list", "list-append", "read-committed", LZ_VERIFY_VIOLATED,
     "incompatible-order",
     TXN(0, "[[:append 1 1]]") TXN(1, "[[:append 1 2]]") TXN(2, "[[:r 1 [1 2]]]")
         TXN(3, "[[:r 1 [2]]]")},
    {"one value twice tells nothing", "list-append", NULL, LZ_VERIFY_UNKNOWN, "duplicate-write",
     TXN(0, "[[:append 1 1]]") TXN(1, "[[:append 1 1]]")},
    {"a lost update", "rw-register", "snapshot-isolation", LZ_VERIFY_VIOLATED, "lost-update",
     TXN(0, "[[:w 1 1]]") I(1, txn, "[[:r 1 nil] [:w 1 2]]") I(2, txn, "[[:r 1 nil] [:w 1 3]]")
         OK(1, txn, "[[:r 1 1] [:w 1 2]]") OK(2, txn, "[[:r 1 1] [:w 1 3]]")},
    {"a read of what nobody wrote", "rw-register", "read-uncommitted", LZ_VERIFY_VIOLATED,
     "garbage-read", TXN(0, "[[:w 1 1]]") TXN(1, "[[:r 1 7]]")},
    {"serial registers", "rw-register", NULL, LZ_VERIFY_HOLDS, NULL,
     TXN(0, "[[:w 1 1]]") TXN(1, "[[:r 1 1] [:w 1 2]]") TXN(0, "[[:r 1 2]]")},
    {"half of a transaction is seen", "rw-register", "read-atomic", LZ_VERIFY_VIOLATED,
     "read-atomic",
     TXN(0, "[[:w 1 1] [:w 2 1]]") TXN(0, "[[:w 1 2] [:w 2 2]]") TXN(1, "[[:r 1 2] [:r 2 1]]")},
    {"an effect without its cause", "rw-register", "causal", LZ_VERIFY_VIOLATED, "causal",
     TXN(0, "[[:w 1 1]]") TXN(0, "[[:w 1 2]]") TXN(1, "[[:r 1 2] [:w 2 1]]") TXN(2, "[[:r 2 1]]")
         TXN(2, "[[:r 1 1]]")},

    {"an element is lost", "set", NULL, LZ_VERIFY_VIOLATED, "lost",
     DID(0, add, "1") DID(0, add, "2") SAW(0, "#{2}")},
    {"an element from nowhere", "set", NULL, LZ_VERIFY_VIOLATED, "unexpected", SAW(0, "#{2}")},
    {"an unknown addition may be there", "set", NULL, LZ_VERIFY_HOLDS, NULL,
     I(1, add, "1") INFO(1, add, "1") SAW(0, "#{1}")},
    {"a set that nobody read", "set", NULL, LZ_VERIFY_UNKNOWN, NULL, DID(0, add, "1")},
    {"an element that goes for good", "set-full", NULL, LZ_VERIFY_VIOLATED, "lost",
     DID(0, add, "1") SAW(0, "[1]") SAW(0, "[]")},
    {"an element that comes back", "set-full", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, add, "1") SAW(0, "[]") SAW(0, "[1]")},
    {"a counter within its bounds", "counter", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, add, "2") I(1, add, "3") SAW(0, "5") OK(1, add, "3")},
    {"a counter beyond", "counter", NULL, LZ_VERIFY_VIOLATED, "out-of-bounds",
     DID(0, add, "2") SAW(0, "3")},
    {"a counter that goes down", "counter", NULL, LZ_VERIFY_VIOLATED, "out-of-bounds",
     DID(0, add, "2") DID(0, add, "-1") SAW(0, "2")},
    {"a transaction of nothing counts nothing", "counter", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, txn, "[]") DID(0, add, "1") SAW(0, "1")},
    {"more than 64 bits hold is no less", "counter", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, add, "9223372036854775807") I(1, add, "9223372036854775807")
         SAW(0, "9223372036854775807")},
    {"money is made", "bank", NULL, LZ_VERIFY_VIOLATED, "wrong-total",
     SAW(0, "{0 5, 1 5}") SAW(0, "{0 5, 1 6}")},
    {"an account below 0", "bank", NULL, LZ_VERIFY_VIOLATED, "negative-balance",
     SAW(0, "{0 11, 1 -1}")},
    {"an id twice", "unique-ids", NULL, LZ_VERIFY_VIOLATED, "duplicate",
     DID(0, generate, "1") DID(1, generate, "1")},
    {"ids", "unique-ids", NULL, LZ_VERIFY_HOLDS, NULL, DID(0, generate, "1") DID(1, generate, "2")},
    {"taken twice", "queue", NULL, LZ_VERIFY_VIOLATED, "duplicate",
     DID(0, enqueue, "1") DID(1, dequeue, "1") DID(0, dequeue, "1")},
    {"lost in an emptied queue", "queue", NULL, LZ_VERIFY_VIOLATED, "lost",
     DID(0, enqueue, "1") I(0, dequeue, "nil") FAIL(0, dequeue, "nil")},
    {"perhaps still queued", "queue", NULL, LZ_VERIFY_UNKNOWN, NULL, DID(0, enqueue, "1")},
    {"an element that two have added", "set-full", NULL, LZ_VERIFY_HOLDS, NULL,
     I(0, add, "1") FAIL(0, add, "1") DID(1, add, "1") SAW(0, "[1]")},
    {"a counter for each key", "counter", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, add, "[:a 2]") DID(0, add, "[:b 5]") JSAW("a", 2) JSAW("b", 5)},
    {"another key's counter", "counter", NULL, LZ_VERIFY_VIOLATED, "out-of-bounds",
     DID(0, add, "[:a 2]") DID(0, add, "[:b 5]") JSAW("a", 5)},
    {"an addition that came to less than was there", "counter", NULL, LZ_VERIFY_VIOLATED,
     "out-of-bounds", DID(0, add, "2") SUM(1, 3, 3)},
    {"an addition that came to what it should", "counter", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, add, "2") SUM(1, 3, 5) SUM(1, -1, 4)},
    {"a subtraction that came to more", "counter", NULL, LZ_VERIFY_VIOLATED, "out-of-bounds",
     DID(0, add, "2") SUM(1, -1, 2)},
    {"an id of each of two sequences", "unique-ids", NULL, LZ_VERIFY_HOLDS, NULL,
     DID(0, generate, "[:a [1]]") DID(1, generate, "[:b [1]]")},
    {"a record where it was said to be", "partitions", NULL, LZ_VERIFY_HOLDS, NULL,
     SEND(0, "7", "[0 7]") POLL(1, "[[0 7]]")},
    {"another record there", "partitions", NULL, LZ_VERIFY_VIOLATED, "lost-write",
     SEND(0, "7", "[0 7]") SEND(0, "8", "[0 8]") POLL(1, "[[0 8]]")},
    {"one record twice", "partitions", NULL, LZ_VERIFY_VIOLATED, "duplicate",
     SEND(0, "7", "[0 7]") POLL(1, "[[0 7] [4 7]]")},
    {"a record that nobody sent", "partitions", NULL, LZ_VERIFY_VIOLATED, "unexpected",
     SEND(0, "7", "[0 7]") POLL(1, "[[0 7] [1 9]]")},
    {"records of one producer the other way round", "partitions", NULL, LZ_VERIFY_VIOLATED,
     "reordered", SEND(0, "7", "[5 7]") SEND(0, "8", "[4 8]") POLL(1, "[[4 8] [5 7]]")},
    {"what the broker knows to be lost", "partitions", NULL, LZ_VERIFY_VIOLATED, "lost-write",
     SEND(0, "7", "[0 7]") "{:process :broker, :type :info, :f :lost, :value [[:lost 0 7]]}\n"},
    {"a record whose send failed", "partitions", NULL, LZ_VERIFY_VIOLATED, "aborted-read",
     I(0, send, "[[:send 0 7]]") FAIL(0, send, "[[:send 0 7]]") POLL(1, "[[0 7]]")},
    {"a record whose first send failed", "partitions", NULL, LZ_VERIFY_HOLDS, NULL,
     I(0, send, "[[:send 0 7]]") FAIL(0, send, "[[:send 0 7]]") SEND(0, "7", "[0 7]")
         POLL(1, "[[0 7]]")},
    {"one number in two partitions", "partitions", NULL, LZ_VERIFY_HOLDS, NULL,
     SEND(0, "7", "[0 7]") I(0, send, "[[:send 1 7]]") OK(0, send, "[[:send 1 [0 7]]]")
         POLL(1, "[[0 7]], 1 [[0 7]]")},
    {"a record of another partition", "partitions", NULL, LZ_VERIFY_VIOLATED, "unexpected",
     SEND(0, "7", "[0 7]") POLL(1, "[], 1 [[0 7]]")},
    {"what moves no record", "partitions", NULL, LZ_VERIFY_VIOLATED, "lost-write",
     DID(0, subscribe, "[0 1]") SEND(0, "7", "[0 7]") DID(1, assign, "[0]") SEND(0, "8", "[0 8]")
         I(2, crash, "nil")
             INFO(2, crash, "nil") "{:process 0, :type :invoke, :f :debug-topic-partitions, :value "
                                   "[0]}\n" POLL(1, "[[0 8]]") I(3, subscribe, "[0]")},
    {"a fork", "long-fork", NULL, LZ_VERIFY_VIOLATED, "long-fork",
     DID(2, write, "[1 1]") TXN(0, "[[:r 0 1] [:r 1 nil]]") TXN(1, "[[:r 0 nil] [:r 1 1]]")},
    {"nothing at all", "register", NULL, LZ_VERIFY_UNKNOWN, NULL, ""},
};

static void histories_are_answered_as_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct lz_history h;
        struct lz_verify v;
        struct lz_err err = {0};
        const struct lz_verify_opts opts = {.consistency = row->consistency};
        lz_history_init(&h);
        if (!lz_history_read(&h, NULL, row->text, strlen(row->text), &err) ||
            !lz_verify_run(&v, lz_verify_find(row->model), &h, &opts, &err))
            fail_msg("%s: %s", row->name, err.msg);
        if (v.answer != row->answer || (row->anomaly != NULL && !lz_verify_has(&v, row->anomaly)))
            fail_msg("%s: answer %d, expected %d with %s; %s", row->name, (int)v.answer,
                     (int)row->answer, row->anomaly != NULL ? row->anomaly : "nothing", v.why.text);
        lz_verify_finish(&v);
        lz_history_finish(&h);
    }
}

// Partitions, records, clients and lines are told as the file has them.
static void a_topic_is_told_of_in_the_words_of_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } told[] = {
        {"{\"process\":4,\"client\":0,\"type\":\"invoke\",\"f\":\"send\",\"value\":"
         "[[\"send\",\"orders/0\",1]]}\n"
         "{\"process\":4,\"type\":\"ok\",\"value\":[[\"send\",\"orders/"
         "0\",[0,1]]],\"time\":2000000}\n"
         "{\"process\":\"broker\",\"type\":\"info\",\"f\":\"lost\",\"value\":"
         "[[\"lost\",\"orders/0\",1]]}\n",
         "    sent at 0.000000 s by client 0 (line 1): record 1 to partition \"orders/0\", "
         "acknowledged at 0.002000 s at offset 0\n"},
        {SEND(7, "5", "[3 5]") POLL(8, "[[3 6]]"),
         "    sent by process 7 (line 1): record 5 to partition 0, acknowledged at offset 3\n"
         "    read by process 8 (line 3): record 6 of partition 0, at offset 3\n"},
        {I(0, send, "[[:send 2 7]]") FAIL(0, send, "[[:send 2 7]]") I(1, poll, "[[:poll]]")
             OK(1, poll, "[[:poll {2 [[9 7]]}]]"),
         "aborted-read: was read, and its send had failed\n"
         "    sent by process 0 (line 1): record 7 to partition 2, which failed\n"
         "    read by process 1 (line 3): record 7 of partition 2, at offset 9\n"},
    };
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct lz_history h;
        struct lz_verify v;
        struct lz_err err = {0};
        const struct lz_verify_opts opts = {0};
        lz_history_init(&h);
        if (!lz_history_read(&h, NULL, told[i].text, strlen(told[i].text), &err) ||
            !lz_verify_run(&v, lz_verify_find("partitions"), &h, &opts, &err))
            fail_msg("row %zu: %s", i, err.msg);
        if (strstr(v.why.text, told[i].why) == NULL)
            fail_msg("row %zu: \"%s\"", i, v.why.text);
        lz_verify_finish(&v);
        lz_history_finish(&h);
    }
}

static const struct {
    const char *format, *text, *message;
} broken[] = {
    {NULL, "[{:process 0, :type :invoke, :f :read", "line 1: a sequence that is never closed"},
    {NULL, "{:process 0 :type}", "line 1: a map with a key and no value"},
    {NULL, "\n\n{:process 0, :type :begin}", "line 3: an event's type is invoke, ok, fail or info"},
    {NULL, "{:process 0, :type :ok, :f :read}", "line 1: process 0 completes what it has not"},
    {NULL, I(0, read, "nil") I(0, read, "nil"), "line 2: process 0 begins an operation before"},
    {NULL, DID(0, jump, "1"), "line 1: unknown f \"jump\""},
    {NULL, DID(0, write, "1") DID(0, assign, "1"), "line 3: unknown f \"assign\""},
    {NULL, I(0, assign, "1") I(0, assign, "1"),
     "line 2: process 0 begins an operation before the one "
     "of line 1"},
    {NULL, DID(0, send, "[[:send 1]]"), "line 2: a part of a log's operation is [\"send\""},
    {NULL, DID(0, poll, "[[:poll {0 7}]]"), "line 2: a part of a log's operation is"},
    {NULL, DID(0, cas, "1"), "line 2: the value of a cas is [from to]"},
    {NULL, "7", "line 1: an event is a map"},
    {NULL, "{:a \"\\q\"}", "line 1: a text with an unknown escape"},
    {NULL, "{\"a\":1,,\"b\":2}", "line 1, column 8: a value was expected"},
    {NULL, "[{\"a\":1},\n{\"a\" 1}]", "line 2, column 6: a colon was expected"},
    {NULL, "{\"a\":[1,2,]}", "line 1, column 11: a value was expected"},
    {NULL, "{\"a\":[1 2]}", "line 1, column 9: a comma was expected"},
    {NULL, "{\"a\":1,}", "line 1, column 8: a value was expected"},
    {NULL, "{\"a\":nothing}", "line 1, column 6: a word that is no value of JSON"},
    {NULL, "{:a 1.2.3}", "line 1: a number that is none"},
    {NULL, "r 1", "line 1: expected \"r KEY VALUE\""},
    {"csv", "", "there is no history format \"csv\""},
};

static void what_is_no_history_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct lz_history h;
        struct lz_err err = {0};
        lz_history_init(&h);
        if (lz_history_read(&h, broken[i].format, broken[i].text, strlen(broken[i].text), &err))
            fail_msg("row %zu was read: %s", i, broken[i].text);
        if (strstr(err.msg, broken[i].message) == NULL)
            fail_msg("row %zu: \"%s\"", i, err.msg);
        assert_int_equal(h.op_count, 0);
        lz_history_finish(&h);
    }
}

// Small random histories -------------------------------------------------------------------------

#define SMALL 6

// Is there an order of all operations that the model takes? Every order is tried.
static bool any_order(const struct lz_linear_model *model, const struct lz_linear_world *w,
                      const struct lz_history *h, unsigned placed, uint32_t state)
{
    bool all_completed = true;
    for (uint32_t i = 0; i < h->op_count; i++)
        if ((placed >> i & 1u) == 0 && h->ops[i].outcome == LZ_HISTORY_OK)
            all_completed = false;
    if (all_completed)
        return true;
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        bool may = (placed >> i & 1u) == 0;
        for (uint32_t j = 0; j < h->op_count; j++)
            may = may && ((placed >> j & 1u) != 0 || h->ops[j].outcome != LZ_HISTORY_OK ||
                          h->ops[j].end >= op->begin);
        const struct lz_history_part *p = lz_history_part(h, op, 0);
        const struct lz_linear_op x = {
            .f = p->f, .is_known = p->is_known, .value = p->value, .value_b = p->value_b};
        uint32_t next;
        if (may && model->step(w, state, &x, &next) &&
            any_order(model, w, h, placed | 1u << i, next))
            return true;
    }
    return false;
}

static void random_history(struct lz_history *h, uint64_t seed)
{
    lz_history_init(h);
    for (uint32_t i = 0; i < SMALL; i++) {
        uint64_t r = lz_hash_mix(seed, i);
        struct lz_history_op *op = lz_history_add(h, lz_history_process(h, "0"), (int64_t)(r % 12));
        op->end = op->begin + 1 + (int64_t)(r >> 8) % 8;
        bool is_info = (r >> 16) % 8 == 0;
        op->outcome = is_info ? LZ_HISTORY_INFO : LZ_HISTORY_OK;
        op->end = is_info ? LZ_HISTORY_NEVER : op->end;
        static const enum lz_history_f fs[] = {LZ_HISTORY_READ, LZ_HISTORY_WRITE, LZ_HISTORY_READ,
                                               LZ_HISTORY_CAS, LZ_HISTORY_CAS_MISS};
        struct lz_history_part *p = lz_history_add_part(h, op, fs[(r >> 24) % 5]);
        p->is_known = !is_info;
        p->value = lz_history_integer(h, (int64_t)(r >> 32) % 3);
        p->value_b = lz_history_integer(h, (int64_t)(r >> 40) % 3);
    }
    lz_history_sort(h);
}

static void the_search_agrees_with_trying_every_order(void **state)
{
    (void)state;
    const struct lz_linear_model *model = lz_linear_model(1);
    assert_string_equal(model->name, "cas-register");
    unsigned good = 0, bad = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct lz_history h;
        struct lz_linear_result result;
        struct lz_err err;
        random_history(&h, seed);
        const struct lz_linear_world w = {.h = &h};
        bool want = any_order(model, &w, &h, 0, h.initial);
        assert_true(lz_linear_check(model, &h, 0, &result, NULL, &err));
        if ((result.answer == LZ_LINEAR_YES) != want)
            fail_msg("seed %llu: the search says %d", (unsigned long long)seed, (int)result.answer);
        good += want;
        bad += !want;
        lz_history_finish(&h);
    }
    assert_true(good > 200 && bad > 200); // both were asked
}

static void a_budget_of_steps_leaves_it_open(void **state)
{
    (void)state;
    // Appends whose order nothing tells until the last read, which fits none of them.
    struct lz_str text;
    lz_str_init(&text);
    for (int i = 0; i < 12; i++)
        lz_str_addf(&text, "{:process %d :type :invoke :f :append :value [:k \"%d\"]}\n", i, i);
    for (int i = 0; i < 12; i++)
        lz_str_addf(&text, "{:process %d :type :ok :f :append :value [:k \"%d\"]}\n", i, i);
    lz_str_add(&text, "{:process 0 :type :invoke :f :get :value [:k nil]}\n"
                      "{:process 0 :type :ok :f :get :value [:k \"x\"]}\n");
    struct lz_history h;
    struct lz_verify v;
    struct lz_err err;
    const struct lz_verify_opts opts = {.steps_max = 20000};
    lz_history_init(&h);
    assert_true(lz_history_read(&h, "edn", text.text, text.len, &err));
    assert_true(lz_verify_run(&v, lz_verify_find("kv"), &h, &opts, &err));
    assert_int_equal(v.answer, LZ_VERIFY_UNKNOWN);
    lz_verify_finish(&v);
    lz_history_finish(&h);
    lz_str_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_are_answered_as_known),
        cmocka_unit_test(a_topic_is_told_of_in_the_words_of_its_file),
        cmocka_unit_test(what_is_no_history_is_refused_with_its_line),
        cmocka_unit_test(the_search_agrees_with_trying_every_order),
        cmocka_unit_test(a_budget_of_steps_leaves_it_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
