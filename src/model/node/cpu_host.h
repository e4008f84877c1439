/*
 * cpu_host.h — a host whose cores several instances share.
 *
 * Each instance wants at most its own cores, and as many as it has jobs. While the host has as
 * many as all want, nobody notices the others. Otherwise they are divided by weight, as cgroup
 * v2's cpu.weight does it (Documentation/admin-guide/cgroup-v2.rst, "Weights"): max-min fair
 * shares, where what one does not use goes to those who want more.
 *
 * A host without declared cores divides nothing: each replica has what it says.
 */
#ifndef LZ_MODEL_NODE_CPU_HOST_H
#define LZ_MODEL_NODE_CPU_HOST_H

#include "model/node/cpu.h"
#include "model/place.h"

#define LZ_CPU_WEIGHT 100.0 /* cgroup v2's default; 1 to 10000 */

struct lz_cpu_host *lz_cpu_host_create(struct lz_world *w, double cores);
void lz_cpu_host_add(struct lz_world *w, struct lz_cpu_host *h, struct lz_cpu *cpu, double weight);
void lz_cpu_host_remove(struct lz_world *w, struct lz_cpu_host *h, struct lz_cpu *cpu);

/* Somebody wants more or less than before. */
void lz_cpu_host_balance(struct lz_world *w, struct lz_cpu_host *h);

/* `cores` are busy with something that belongs to nobody here. */
void lz_cpu_host_steal(struct lz_world *w, struct lz_cpu_host *h, double cores);

double lz_cpu_host_cores(const struct lz_cpu_host *h);
double lz_cpu_host_busy(const struct lz_cpu_host *h); /* share in use now, 0 to 1 */

/* Told of every change of how busy it is. */
typedef void lz_cpu_host_fn(struct lz_world *w, void *ctx);
void lz_cpu_host_watch(struct lz_cpu_host *h, lz_cpu_host_fn *fn, void *ctx);

#endif
