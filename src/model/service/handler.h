/*
 * handler.h — what a service's own code may do with the request it serves.
 *
 * A handler is begun by the callbacks of service.h with a task; it acts on it by these, one
 * thing at a time, and is told by a callback when that has ended. Its answer ends the task.
 * A task may be gone at any time (its process died, its caller cancelled it): whoever comes
 * back to it asks lz_handler_is_live first.
 */
#ifndef LZ_MODEL_SERVICE_HANDLER_H
#define LZ_MODEL_SERVICE_HANDLER_H

#include "model/node/disk.h"
#include "model/service/argument.h"
#include "model/service/service.h"

bool lz_handler_is_live(const struct lz_world *w, lz_task_id task);

/* On a live task. Each but `draw` and `answer` ends in a callback. */
void lz_handler_call(struct lz_world *w, lz_task_id task, lz_edge_id edge, uint64_t key,
                     lz_argument_id argument);
/* Its n-th draw, from 1: of the request and nobody else. */
lz_time lz_handler_draw(const struct lz_world *w, lz_task_id task, const struct lz_dist *dist,
                        uint64_t n);
void lz_handler_sleep(struct lz_world *w, lz_task_id task, lz_time duration);
void lz_handler_work(struct lz_world *w, lz_task_id task, lz_time duration); /* uses the CPU */
/* On the disk; false if that takes no time: then nothing follows. Asked after: has it failed? */
bool lz_handler_disk(struct lz_world *w, lz_task_id task, enum lz_disk_op op);
bool lz_handler_disk_failed(const struct lz_world *w, lz_task_id task);
/* What its answer, which follows at once, says beside the status. */
void lz_handler_say(struct lz_world *w, lz_task_id task, lz_value value);
void lz_handler_answer(struct lz_world *w, lz_task_id task, uint16_t status);

/* Until its caller gives up: 0 if it has, -1 if it has not said. */
lz_time lz_handler_time_left(const struct lz_world *w, lz_task_id task);
uint32_t lz_handler_version(const struct lz_world *w, lz_task_id task); /* 0: as declared */
uint32_t lz_handler_priority(const struct lz_world *w, lz_task_id task);

/* What a handler begins with. */
struct lz_handler_facts {
    uint64_t path;  /* owner for keyed draws */
    uint64_t key;   /* what the request is about */
    lz_value value; /* that it brings */
    lz_op op;
};
struct lz_handler_facts lz_handler_facts(const struct lz_world *w, lz_task_id task);

lz_instance_id lz_handler_instance(const struct lz_world *w, lz_task_id task);
uint64_t lz_handler_path(const struct lz_world *w, lz_task_id task); /* owner for keyed draws */

#endif
