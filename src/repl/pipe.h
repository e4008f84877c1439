/*
 * pipe.h — messages between the prompt and the processes in which worlds live.
 *
 * A message is a header and a text. A socket may travel with it: that is how a world is told on
 * which line its copy shall answer.
 */
#ifndef LZ_REPL_PIPE_H
#define LZ_REPL_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "sim/time.h"

enum lz_pipe_verb {
    LZ_PIPE_EVAL = 1, /* text: a line of Lua; count: twice the columns, and 1 for ASCII */
    LZ_PIPE_EDIT, /* text: a line; answered with the scenario's text, or INCOMPLETE: it is Lua */
    LZ_PIPE_COMPLETE, /* text: what was typed so far */
    LZ_PIPE_TIME,     /* text: a duration; answered in `at` */
    LZ_PIPE_METRIC,   /* text: an expression; answered in `count` */
    LZ_PIPE_ADVANCE,  /* at: until when; count: events, work_ns: processor time, both 0 any; text:
                         conditions, one a line, asked at whole seconds */
    LZ_PIPE_FORK,     /* with a socket: a copy answers there from now on */
    LZ_PIPE_RECORD,   /* the run as if it ended now; the answer's text is a record's image */
    LZ_PIPE_SERIES,   /* text: a metric; at, count: from, to; answered in struct lz_pipe_point */
    LZ_PIPE_SENT,     /* answered with a line for each traffic: what it has sent, its name */
    LZ_PIPE_KEEP,     /* text: a traffic; count: its request that is to be kept, 0: as before;
                         answered in `count`: whether it has been */
    LZ_PIPE_NEWS,     /* at: since when; what the journal has for people, one a line */
    LZ_PIPE_TOP,      /* a screen of all components; count as of EVAL */
    LZ_PIPE_TOPIC,    /* text: a name at the prompt; what documentation calls it */
};

enum lz_pipe_answer {
    LZ_PIPE_OK,
    LZ_PIPE_WRONG,      /* text says why */
    LZ_PIPE_INCOMPLETE, /* of EVAL: it goes on in the next line */
    LZ_PIPE_BREAK,      /* of ADVANCE: condition `count`, from 1, has come true */
    LZ_PIPE_STOPPED,    /* of ADVANCE: interrupted (count 1), or events or work are used up */
    LZ_PIPE_ENDED,      /* of ADVANCE: the scenario is over */
    LZ_PIPE_CRASHED,    /* the last word of a process that ends by signal `count` */
};

/* A window of a metric; of SERIES' answer, whose `count` is its enum lz_unit. */
struct lz_pipe_point {
    lz_time start, width;
    double value, low, high;
    uint64_t count;
};

struct lz_pipe_message {
    uint32_t kind; /* verb or answer */
    lz_time at;    /* an answer: virtual time now */
    uint64_t count;
    uint64_t events, trace; /* of the world, in answers */
    uint64_t work_ns;       /* of ADVANCE: what of the processor it may take, and has taken */
    bool goes_on;           /* of ADVANCE: the text was said before, and how it stood is known */
};

/* `fd` < 0: no socket with it. False: the other side is gone. */
bool lz_pipe_put(int line, const struct lz_pipe_message *m, const struct lz_str *text, int fd);

/* The socket that came with it, or -1, in *fd (NULL: none is expected). */
bool lz_pipe_get(int line, struct lz_pipe_message *m, struct lz_str *text, int *fd);

#endif
