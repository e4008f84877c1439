/*
 * stage.h — a proxy, a server behind it and a client in front of it, for tests.
 *
 * The server is a child process that handles each connection by a child of its own, as its
 * letter says: 'e' sends back what it gets, until the end; 'b' sends ten bytes and then does the
 * same; 'h' answers HTTP requests, "METHOD PATH BODY-LENGTH" as their body; 'x' accepts nothing.
 * Clients block, for STAGE_PATIENCE_S at most.
 *
 * A machine may stand still for seconds at any moment, all of it or one process. So what is to come
 * is waited for, and of times only lower bounds are tested, from before what begins them.
 */
#ifndef LZ_TESTS_PROXY_STAGE_H
#define LZ_TESTS_PROXY_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "live/proxy/proxy.h"

#define MS INT64_C(1000000)
#define STAGE_PATIENCE_S 30

struct stage {
    struct lz_loop *loop;
    struct lz_proxy *proxy;
    lz_proxy_edge_id edge;
    pid_t server;
    uint16_t server_port;
    struct lz_proxy_seen seen[64];
    size_t seen_count;
};

void stage_up(struct stage *s, char server, uint64_t run_key);
void stage_down(struct stage *s);
void stage_look(struct stage *s, size_t want); /* until the proxy has told that much */

lz_proxy_toxic_id stage_add(struct stage *s, const struct lz_toxic *toxic);
void stage_remove(struct stage *s, lz_proxy_toxic_id id);

/* What it counted. The proxy counts after it has written, so a client can be faster: this waits for
 * it to be `want` or more. */
uint64_t stage_touched(struct stage *s, lz_proxy_toxic_id id, uint64_t want);

void stage_wait_bytes(struct stage *s, uint64_t want); /* the same for bytes, both ways */

int stage_port(void); /* listening nowhere; some free port */
int stage_connect(struct stage *s);

/* That the connection (or, with -1, a new one) is reset: in recv(), or already in connect() when
 * the proxy was faster than this side's wake-up. Closes it. */
void stage_is_reset(struct stage *s, int fd);

void stage_send(int fd, const char *text);

/* As recv() and send(), which end with EINTR where there is a timeout and the process was stopped.
 */
ssize_t stage_recv(int fd, void *bytes, size_t len);
ssize_t stage_push(int fd, const void *bytes, size_t len);

/* Until so many bytes, the end (then fewer), or an error: -1 and errno. */
ssize_t stage_receive(int fd, char *bytes, size_t len);

/* Send, and receive the same back; how long it took. */
int64_t stage_echo(int fd, const char *text);

#endif
