/*
 * loss.h — which packets a channel loses, by the models of Linux' netem.
 *
 *   ratio            each packet by its own draw (Bernoulli), or with a correlation: with that
 *                    probability a packet fares as the one before it. The share lost stays what
 *                    was asked for and the correlation of neighbours is what was asked for: the
 *                    discrete autoregression of Jacobs and Lewis (1978). netem filters its random
 *                    numbers instead, which changes the share.
 *   Gilbert-Elliott  two states; netem's `gemodel p r 1-h 1-k`. In the good state `good` of the
 *                    packets are lost, in the bad one `bad`; after each packet it turns bad with
 *                    probability p, good with r. Lost in all: (r good + p bad) / (p + r); a stay in
 *                    the bad state has 1/r packets in the mean. (Gilbert 1960, Elliott 1963.)
 *   four states      netem's `state p13 p31 p32 p23 p14` (Salsano, Ludovici, Ordine, Giannuzzi,
 *                    "Definition of a general and intuitive loss model for packet networks and its
 *                    implementation in the Netem module", 2012): 1 received in a gap, 2 received in
 *                    a burst, 3 lost in a burst, 4 lost alone.
 *
 * A model is a value; what it remembers between two packets is the caller's, per direction of
 * each pair of instances. The draws are the packet's own: a state is all that packets share.
 */
#ifndef LZ_MODEL_NET_LOSS_H
#define LZ_MODEL_NET_LOSS_H

#include "base/err.h"
#include "sim/draw.h"

enum lz_loss_kind {
    LZ_LOSS_NONE,
    LZ_LOSS_RATIO,
    LZ_LOSS_GILBERT_ELLIOTT,
    LZ_LOSS_FOUR_STATES,
};

/* All are probabilities, 0 to 1. */
struct lz_loss {
    enum lz_loss_kind kind;
    double ratio, correlation;      /* RATIO */
    double p, r, bad, good;         /* GILBERT_ELLIOTT */
    double p13, p31, p32, p23, p14; /* FOUR_STATES */
};

/* Zero is the beginning: nothing was seen yet. */
struct lz_loss_state {
    uint8_t state; /* of the chain, from 0: good; received in a gap */
    bool has_last, last;
};

bool lz_loss_check(const struct lz_loss *loss, struct lz_err *err) LZ_MUST_CHECK;

/* Is the next packet lost? */
bool lz_loss_next(const struct lz_loss *loss, struct lz_loss_state *state, struct lz_draw *draw);

/* The share of packets it loses in the long run. */
double lz_loss_mean(const struct lz_loss *loss);

#endif
