/*
 * transact.h — several items at once, or none; for model/store/ only.
 *
 * DynamoDB's transactions ("Amazon DynamoDB Transactions: How it works", developer guide):
 *
 *   TransactWriteItems   up to 100 actions on as many items, each with a condition if it likes
 *   TransactGetItems     up to 100 items as they were at one moment
 *
 * Two phases, each as long as the slowest of its items' operations (Idziorek and others,
 * "Distributed Transactions at Scale in Amazon DynamoDB", ATC 2023): prepare, which looks at
 * conditions and holds the items, and commit. "DynamoDB performs two underlying reads or writes of
 * every item in the transaction", so each takes twice its units.
 *
 *   asked ──capacity──▶ PREPARE ──conditions hold, nobody holds an item──▶ COMMIT ──▶ 200
 *             │            └── 400 TransactionCanceled, the reason as its value
 *             └── 400, throttled
 *
 * While a transaction holds an item, another that wants it is cancelled (400,
 * "TransactionConflict") and a plain write of it is refused (400, TransactionConflictException);
 * plain reads see what was there before. A node that ends takes its transactions with it, and
 * nothing of them is done.
 *
 * The token that a caller shows makes a repetition harmless for 10 minutes after the transaction
 * was done: 200, nothing is done, and the items are read, not written ("subsequent calls return the
 * number of read capacity units"). With other actions the same token is 400
 * (IdempotentParameterMismatch), while the first is under way 400 (TransactionInProgress). A call
 * without one has a token of its own, which its retries share, as SDKs do it.
 */
#ifndef LZ_MODEL_STORE_TRANSACT_H
#define LZ_MODEL_STORE_TRANSACT_H

#include "model/store/store_state.h"

#define LZ_TRANSACT_TOKEN_NS (600 * LZ_S)

void lz_transact_arrive(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                        enum lz_store_op op);
void lz_transact_go_on(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                       enum lz_store_op op); /* its phase has ended */
void lz_transact_forget(struct lz_world *w, struct lz_store *s, const struct lz_task *t);

/* Whether a transaction under way has the item. */
bool lz_transact_holds(const struct lz_store *s, uint64_t key);

#endif
