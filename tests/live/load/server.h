/*
 * server.h — an HTTP/1.1 server for tests, in processes of its own, that misbehaves on request.
 *
 *   /ok             200, "42 rows\n"               /status/503      that status, "no\n"
 *   /slow/250       200 after so many ms           /text/ANY        200, ANY
 *   /reset          RST instead of an answer       /close           FIN instead of an answer
 *   /once           200, and the next request on that connection finds it reset
 *   /partial        100 bytes are promised, 10 come, then FIN
 *   /big/100000     200, so many bytes             /echo            200, the request as it came
 *   /stuck-once     the first of all is never answered, the others 200
 *   /api/v1/query?query=NAME    as a Prometheus server answers; see `answers` in server.c
 *
 * A process for each connection. All of them die with the one that started the server.
 */
#ifndef LZ_TESTS_LIVE_LOAD_SERVER_H
#define LZ_TESTS_LIVE_LOAD_SERVER_H

#include <stdbool.h>
#include <stdint.h>

uint16_t server_start(void); /* its port on 127.0.0.1 */
void server_stop(void);
bool server_is_stuck(void); /* in the first /stuck-once */

/* A port on which nobody listens. */
uint16_t server_closed_port(void);

/* A port that takes connections into its backlog until that is full, and never says a word. */
uint16_t server_mute_port(void);

#endif
