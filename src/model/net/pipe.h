/*
 * pipe.h — a line of limited bandwidth with a bounded buffer before it.
 *
 * A packet waits for those before it (first in, first out), takes bytes / rate to be put on the
 * line, and is dropped if it does not fit into the buffer: tail drop. The queue is not kept
 * packet by packet: when the line will be free says all there is to know, so a packet costs no
 * event and no memory.
 *
 *   1500 bytes at 1 Gbit/s take 12 us, at 10 Mbit/s 1.2 ms; a megabyte of them waiting at
 *   10 Mbit/s adds 800 ms ("bufferbloat")
 *
 * Junk (a flood) is fluid: it fills the buffer at its rate as time goes by. When the line is
 * overloaded, what is offered gets the share through that the line can carry.
 */
#ifndef LZ_MODEL_NET_PIPE_H
#define LZ_MODEL_NET_PIPE_H

#include "sim/draw.h"
#include "sim/time.h"

#define LZ_PIPE_BUFFER_BYTES 262144.0 /* unless it is said */
#define LZ_PIPE_RATE_MIN 1.0          /* bytes per second */
#define LZ_PIPE_RATE_MAX 1e15

struct lz_pipe {
    double rate;     /* bytes per second */
    double buffer;   /* bytes that may wait */
    double junk;     /* bytes per second that compete; 0: none */
    lz_time free_at; /* the line has put on all it accepted */
    lz_time junk_at; /* junk is accounted for up to here */
};

/* Packets of one sender, offered at once. */
struct lz_pipe_load {
    lz_time at;
    double bytes;  /* of all packets */
    double packet; /* of the largest; what is accepted is a multiple of it, or all */
    double room;   /* more that fits, since acknowledgements pace the packets; 0 if none do */
};

struct lz_pipe_answer {
    double accepted;      /* bytes; the rest is dropped from the tail */
    lz_time first_leaves; /* the first packet is on the line */
    lz_time leaves;       /* the last accepted one is */
};

/* Bytes that wait, or are being put on the line. */
double lz_pipe_backlog(const struct lz_pipe *p, lz_time at);

/* Junk arrives at this rate from now on. */
void lz_pipe_set_junk(struct lz_pipe *p, lz_time at, double bytes_per_s);

/* The line is faster or slower from now on; the bytes that wait are as many. */
void lz_pipe_set_rate(struct lz_pipe *p, lz_time at, double bytes_per_s);

struct lz_pipe_answer lz_pipe_offer(struct lz_pipe *p, const struct lz_pipe_load *load,
                                    struct lz_draw *draw);

#endif
