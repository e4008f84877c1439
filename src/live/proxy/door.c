/*
 * A listening socket that answers nobody.
 *
 * While an edge is cut, a connection must not be made: its client is to wait for its SYN's answer
 * and run into its own timeout. The kernel accepts on behalf of a program as long as the queue
 * has room, so the queue is made as short as it can be (listen with 0: one place) and that place
 * is taken by a connection of our own. From then on the kernel drops every SYN, as a network that
 * is cut would, and counts it: that is what was observed. Clients that still wait when the door
 * opens again get in with their next SYN.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "live/proxy/inner.h"

#define BACKLOG 4096

static bool is_cut(const struct lz_edge *e)
{
    return ((e->kinds[LZ_UP] | e->kinds[LZ_DOWN]) & LZ_KIND(LZ_TOXIC_CUT)) != 0;
}

static uint64_t drops_of(int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
        return 0; // a kernel before 4.12 does not tell; what is held on connections counts still
    return info[SK_MEMINFO_DROPS];
}

void lz_door_count(struct lz_edge *e)
{
    uint64_t drops = drops_of(e->listen);
    // A counter of 32 bits that starts anew has nothing new to tell this once.
    uint64_t fresh = drops > e->drops ? drops - e->drops : 0;
    e->drops = drops;
    if (fresh == 0 || !e->is_shut)
        return;
    for (struct lz_active *a = e->active; a != NULL; a = a->next) {
        if (a->t.kind == LZ_TOXIC_CUT)
            lz_gate_touch(a, fresh);
    }
}

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
    const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET6)
        return a6->sin6_port == b6->sin6_port &&
               memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
    return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

bool lz_door_was_plug(struct lz_edge *e, const struct sockaddr_storage *peer)
{
    if (e->plug_at.ss_family == 0 || !is_same(&e->plug_at, peer))
        return false;
    e->plug_at.ss_family = 0;
    return true;
}

static void shut(struct lz_edge *e)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    e->drops = drops_of(e->listen);
    e->is_shut = true;
    listen(e->listen, 0);
    // One that was mended just now still has the earlier plug in its queue: that is enough, and two
    // could not be told from a client.
    if (e->plug_at.ss_family != 0 || getsockname(e->listen, (void *)&at, &len) != 0)
        return;
    e->plug = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (e->plug < 0)
        return;
    // A queue that is full already drops this SYN too: then there is no plug, nor need of one.
    (void)connect(e->plug, (const void *)&at, len);
}

// From now on a client may have the address of a plug that never came to be: that one is forgotten.
static void pull(struct lz_edge *e)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    bool is_queued = getpeername(e->plug, (void *)&peer, &len) == 0;
    len = sizeof(e->plug_at);
    if (!is_queued || getsockname(e->plug, (void *)&e->plug_at, &len) != 0)
        e->plug_at.ss_family = 0;
    close(e->plug);
    e->plug = -1;
}

static void open_again(struct lz_edge *e)
{
    e->is_shut = false;
    if (e->plug >= 0)
        pull(e);
    listen(e->listen, BACKLOG);
}

void lz_door_update(struct lz_edge *e)
{
    lz_door_count(e);
    if (is_cut(e) && !e->is_shut)
        shut(e);
    else if (!is_cut(e) && e->is_shut)
        open_again(e);
    LZ_ASSERT(e->is_shut == is_cut(e));
}
