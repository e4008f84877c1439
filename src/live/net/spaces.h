/*
 * spaces.h — network namespaces of a live run: one for each program, and one between them all.
 *
 *     program ── eth0 198.18.0.2/30 ─veth─ 198.18.0.1 ┐
 *                                                     ├ the run's own: routes between them, holds
 *     program ── eth0 198.18.0.6/30 ─veth─ 198.18.0.5 ┘ Lorenz, its proxies and its load
 *
 * A *node* is a namespace of somebody else's: a program that is started, or the commands of a
 * traffic. It has a loopback of its own, one way out, and no more: nothing of the machine's network
 * can be reached from within, and nothing within from outside. A *door* is an address of the run's
 * own namespace, for one proxy: who talks through it is known by it.
 *
 * Lorenz moves: `create` takes this process, and all that it starts from then on, into the run's
 * own namespace, and `destroy` brings it back. Root has the right to both. Anybody else makes a
 * user namespace first (user_namespaces(7)), in which the user stays who it is but may do these
 * things; there is no way back out of that, so such a process stays, and `lz_spaces_has_left` says
 * so.
 *
 * Nothing of it outlives its processes: a namespace without any is taken apart by the kernel, with
 * its devices, routes and rules. There is nothing to undo.
 *
 * Addresses are 198.18.0.0/15, which is set aside for tests between networks (RFC 2544, RFC 6890)
 * and belongs to nobody; those of IPv6 fd00::/96 (RFC 4193) with the same behind it: fd00::c612:2
 * is 198.18.0.2's. So the last four bytes say whose packet it is, whatever its family. Where the
 * kernel has no IPv6, or /proc/sys cannot be written, there is IPv4 alone.
 */
#ifndef LZ_LIVE_NET_SPACES_H
#define LZ_LIVE_NET_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define LZ_SPACES_NODES_MAX 1024
#define LZ_SPACES_DOORS_MAX 1024
#define LZ_SPACES_MTU 1500 /* of every link, the loopback between proxies and load too */
#define LZ_SPACES_TEXT_SIZE 16
#define LZ_SPACES_TEXT_V6_SIZE 46
#define LZ_SPACES_ROUTE 0 /* NETLINK_ROUTE: who asks about interfaces */

/* Indices of interfaces: the loopback of every namespace, a node's end of its link. */
#define LZ_SPACES_LOOPBACK 1
#define LZ_SPACES_INNER_LINK 100

struct lz_spaces;
struct lz_netlink_batch;

/* Addresses, in the machine's byte order, from the number of a node or door, from 0. */
uint32_t lz_spaces_node(size_t i);
uint32_t lz_spaces_gateway(size_t i); /* the run's own end of the node's link */
uint32_t lz_spaces_door(size_t i);
size_t lz_spaces_index(uint32_t node); /* which one has this address */
int lz_spaces_link(size_t i);          /* index of the run's own end of its link */
void lz_spaces_write(uint32_t address, char text[LZ_SPACES_TEXT_SIZE]); /* "198.18.0.2" */

void lz_spaces_write_v6(uint32_t address, char text[LZ_SPACES_TEXT_V6_SIZE]); /* "fd00::c612:2" */

/*
 * Move into a namespace with so many nodes and doors. LZ_ERANGE: this user may not, or the kernel
 * cannot; the message says which, and nothing has changed. Only while there is one thread.
 */
bool lz_spaces_create(size_t nodes, size_t doors, struct lz_spaces **out,
                      struct lz_err *err) LZ_MUST_CHECK;

/* Move back, if there is a way. Those that still run in a node go on in it. NULL is allowed. */
void lz_spaces_destroy(struct lz_spaces *s);

/* What a child gives to lz_spaces_join to be in a node. Open as long as `s`; closed by exec. */
int lz_spaces_fd(const struct lz_spaces *s, size_t node);
bool lz_spaces_join(int fd); /* errno says why not; 0 is nowhere else: true */

size_t lz_spaces_count(const struct lz_spaces *s); /* nodes */

/* Why it has no IPv6; NULL: it has. */
const char *lz_spaces_lacks_v6(const struct lz_spaces *s);

/* A socket to ask about interfaces of a node. We are where we were at the end. */
bool lz_spaces_open_route(const struct lz_spaces *s, size_t node, int *fd,
                          struct lz_err *err) LZ_MUST_CHECK;

/* A message: this interface sends what its network carries, never more in one (GSO). */
void lz_spaces_put_single(struct lz_netlink_batch *b, int interface);

/* Has this process left the machine's network for good? */
bool lz_spaces_has_left(void);

/* Can they be made here, by this user? Tried by a child. `saw` gets a sentence either way. */
bool lz_spaces_probe(struct lz_str *saw);

/*
 * The same for something that needs to be tried within: `try_it` is called in the child, once it is
 * in a namespace of its own with one node.
 */
typedef bool lz_spaces_try_fn(struct lz_err *err);
bool lz_spaces_probe_by(lz_spaces_try_fn *try_it, const char *works, struct lz_str *saw);

#endif
