/*
 * host.h — machines with something that is shared: cores, memory, a disk (disk.h).
 *
 * A host that says what it has shares it among all instances that stand on it (`on = rack`).
 * It is a component of its own, without instances, so that it can be measured. A host that says
 * nothing, or was made for a single replica, is a place and no more.
 */
#ifndef LZ_MODEL_NODE_HOST_H
#define LZ_MODEL_NODE_HOST_H

#include <stddef.h>

#include "model/place.h"
#include "model/world.h"

struct lz_cpu_host;

struct lz_host_capacity {
    const char *name;
    uint32_t line;
    double cores;  /* 0: every replica has its own */
    double memory; /* bytes; 0: without end */
};

void lz_hosts_init(struct lz_world *w);

/* What a host has; the id is the component that is measured. */
bool lz_host_declare(struct lz_world *w, lz_host_id host, const struct lz_host_capacity *capacity,
                     lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

struct lz_cpu_host *lz_host_cpu(const struct lz_world *w, lz_host_id host); /* NULL: not shared */
double lz_host_memory(const struct lz_world *w, lz_host_id host);           /* 0: without end */

/* Load on a host that is nobody's: `share` of its cores, or `cores` of them. The id undoes it. */
uint32_t lz_host_steal(struct lz_world *w, lz_host_id host, double share, double cores);
void lz_host_undo(struct lz_world *w, uint32_t id);

/* Something was written on the disk that those on it share; and at the start. */
void lz_host_wrote(struct lz_world *w, lz_host_id host);

/* Once a second: what changes without an event of its own. */
void lz_host_second(struct lz_world *w);

const struct lz_metric_info *lz_host_metrics(size_t *count);

#endif
