#include "model/data/txn.h"

#include "base/check.h"
#include "model/client/edge.h"
#include "model/data/txn_state.h"
#include "model/history/recorder_txn.h"
#include "model/net/connection.h"
#include "model/net/net.h"
#include "model/service/task.h"

static const struct {
    const char *code, *text;
} errors[LZ_TXN_ERRORS] = {
    [LZ_TXN_OK] = {"00000", "successful completion"},
    [LZ_TXN_CONFLICT] = {"40001", "could not serialize access due to concurrent update"},
    [LZ_TXN_DANGEROUS] = {"40001", "could not serialize access due to read/write dependencies "
                                   "among transactions"},
    [LZ_TXN_DEADLOCK] = {"40P01", "deadlock detected"},
    [LZ_TXN_LOCK_TIMEOUT] = {"55P03", "canceling statement due to lock timeout"},
    [LZ_TXN_READ_ONLY] = {"25006", "cannot write in a read-only transaction"},
    [LZ_TXN_FAILED] = {"25P02", "current transaction is aborted, commands ignored until end of "
                                "transaction block"},
    [LZ_TXN_IDLE_TIMEOUT] = {"25P03", "terminating connection due to idle-in-transaction timeout"},
    [LZ_TXN_LOST] = {"08006", "server closed the connection unexpectedly"},
    [LZ_TXN_IO] = {"58030", "could not write to disk, or the query failed"},
    [LZ_TXN_POOLED] = {"08P01", "transaction blocks not allowed in statement pooling mode"},
    [LZ_TXN_QUEUE_TIMEOUT] = {"08P01", "query_wait_timeout"},
    [LZ_TXN_SQL] = {"42000", "a statement has failed"},
    [LZ_TXN_TOO_LARGE] = {"54000", "a transaction may write at most 4096 rows, a scan look at "
                                   "4096 keys, and a serializable statement name 16 tables"},
};

const char *lz_txn_error_code(enum lz_txn_error error)
{
    LZ_ASSERT(error < LZ_TXN_ERRORS);
    return errors[error].code;
}

const char *lz_txn_error_text(enum lz_txn_error error)
{
    LZ_ASSERT(error < LZ_TXN_ERRORS);
    return errors[error].text;
}

struct lz_txn *lz_txn_find(const struct lz_world *w, lz_txn_id id)
{
    return w->txns != NULL ? lz_pool_find(&w->txns->all, id) : NULL;
}

static struct lz_txn *txn_of(const struct lz_world *w, lz_txn_id id)
{
    struct lz_txn *x = lz_txn_find(w, id);
    LZ_ASSERT(x != NULL && !x->is_closed);
    return x;
}

struct lz_txns *lz_txns_get(struct lz_world *w)
{
    if (w->txns == NULL) {
        w->txns = lz_arena_alloc(w->arena, sizeof(*w->txns));
        lz_pool_init(&w->txns->all, w->arena, sizeof(struct lz_txn));
        lz_pool_init(&w->txns->writes, w->arena, sizeof(struct lz_txn_write));
        lz_sessions_init(w, w->txns);
    }
    return w->txns;
}

lz_txn_id lz_txn_open(struct lz_world *w, const struct lz_txn_opts *opts)
{
    const struct lz_edge *e = lz_edge_get(w, opts->edge);
    LZ_ASSERT(e->opts.session);
    LZ_ASSERT(lz_world_component(w, e->opts.to)->kind == LZ_COMPONENT_DATABASE);
    struct lz_txns *txns = lz_txns_get(w);
    struct lz_txn *x = lz_pool_take(&txns->all);
    x->opts = *opts;
    x->database = e->opts.to;
    txns->opened++;
    return lz_pool_id(x);
}

bool lz_txn_is_open(const struct lz_world *w, lz_txn_id id)
{
    const struct lz_txn *x = lz_txn_find(w, id);
    return x != NULL && !x->is_closed;
}

void lz_txn_say(struct lz_world *w, lz_txn_id id, const struct lz_statement *statement)
{
    struct lz_txn *x = txn_of(w, id);
    LZ_ASSERT(x->task == 0); // one after another
    x->statement = *statement;
    x->said++;
}

uint32_t lz_txn_said(const struct lz_world *w, lz_txn_id id)
{
    return txn_of(w, id)->said;
}

enum lz_txn_error lz_txn_why(const struct lz_world *w, lz_txn_id id)
{
    return (enum lz_txn_error)txn_of(w, id)->error;
}

const struct lz_txn_row *lz_txn_rows(const struct lz_world *w, lz_txn_id id, uint32_t *count)
{
    uint32_t size = 0;
    const struct lz_txn_row *rows = lz_argument_bytes(w, txn_of(w, id)->rows, &size);
    *count = size / (uint32_t)sizeof(*rows);
    return rows;
}

static bool is_at_node(const struct lz_txn *x)
{
    return x->state == LZ_TXN_ACTIVE || x->state == LZ_TXN_COMMITTING;
}

static void give_connection(struct lz_world *w, struct lz_txn *x)
{
    if (!x->has_connection)
        return;
    x->has_connection = false;
    lz_backend_give(w, x->database);
}

static void free_one(struct lz_world *w, struct lz_txn *x)
{
    LZ_ASSERT(x->is_closed && !is_at_node(x));
    LZ_ASSERT(x->locks == 0 && x->serial == 0 && x->write_count == 0 && !x->has_snapshot);
    give_connection(w, x);
    lz_argument_drop(w, x->rows);
    lz_pool_give(&w->txns->all, x);
}

void lz_txn_done(struct lz_world *w, struct lz_txn *x)
{
    LZ_ASSERT(!is_at_node(x));
    if (x->is_closed)
        free_one(w, x);
}

// A client whose host is gone says nothing.
void lz_txn_close(struct lz_world *w, lz_txn_id id)
{
    struct lz_txn *x = txn_of(w, id);
    x->is_closed = true;
    lz_recorder_txn_closed(w, x);
    bool is_clean = x->state == LZ_TXN_COMMITTED || x->state == LZ_TXN_ABORTED;
    if (!is_at_node(x)) // before the next in line of the pool asks for one
        give_connection(w, x);
    lz_connection_end_session(w, x->connection, is_clean && x->error != LZ_TXN_LOST);
    if (!is_at_node(x)) { // a first statement that is still on its way finds nothing
        free_one(w, x);
        return;
    }
    if (lz_instance_get(w, x->opts.client)->state == LZ_INSTANCE_LOST)
        return;
    lz_net_send(w, &(struct lz_message){.from = x->opts.client,
                                        .to = x->server,
                                        .kind = w->txns->end,
                                        .payload = id,
                                        .owner = x->opts.path,
                                        .purpose = LZ_PURPOSE_SESSION});
}

static lz_instance_id server_of(const struct lz_world *w, lz_txn_id id)
{
    return txn_of(w, id)->server;
}

static bool is_lost(struct lz_world *w, lz_txn_id id)
{
    struct lz_txn *x = txn_of(w, id);
    const struct lz_instance *server = lz_instance_get(w, x->server);
    // A process that ended has closed its connections; a host that is gone has told nobody.
    bool is_there = server->incarnation == x->incarnation && lz_instance_has_begun(server);
    bool is_cut = x->connection != 0 && !lz_connection_is_open(w, x->connection);
    if (!is_cut && (is_there || server->state == LZ_INSTANCE_LOST))
        return false;
    x->error = LZ_TXN_LOST;
    return true;
}

static void sent(struct lz_world *w, lz_txn_id id, lz_instance_id server)
{
    struct lz_txn *x = txn_of(w, id);
    LZ_ASSERT(x->server == 0 || x->server == server);
    if (x->server == 0)
        x->incarnation = lz_instance_get(w, server)->incarnation;
    x->server = server;
}

static bool keeps_connection(struct lz_world *w, lz_txn_id id)
{
    struct lz_txn *x = lz_txn_find(w, id);
    if (x == NULL || x->is_closed || x->server == 0)
        return false;
    LZ_ASSERT(!x->has_connection);
    x->has_connection = true;
    return true;
}

// One that was closed before its call's end was known takes no connection.
static uint64_t *connection_of(struct lz_world *w, uint64_t session)
{
    struct lz_txn *x = lz_txn_find(w, session);
    return x != NULL && !x->is_closed ? &x->connection : NULL;
}

const struct lz_session_ops lz_txn_sessions = {.server = server_of,
                                               .is_lost = is_lost,
                                               .sent = sent,
                                               .keeps_connection = keeps_connection,
                                               .connection = connection_of};

size_t lz_txns_bytes(const struct lz_world *w)
{
    return w->txns != NULL ? lz_pool_bytes(&w->txns->all) + lz_pool_bytes(&w->txns->writes) : 0;
}
