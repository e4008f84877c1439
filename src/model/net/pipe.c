#include "model/net/pipe.h"

#include <stdbool.h>

#include "base/check.h"

static lz_time time_for(const struct lz_pipe *p, double bytes)
{
    return (lz_time)(bytes / p->rate * 1e9 + 0.5);
}

double lz_pipe_backlog(const struct lz_pipe *p, lz_time at)
{
    return p->free_at > at ? (double)(p->free_at - at) * 1e-9 * p->rate : 0.0;
}

// The junk since it was last looked at: what fits into the buffer has joined the queue. The
// queue drains all the while, so the buffer bounds it at the end, not at the start.
static void account_junk(struct lz_pipe *p, lz_time at)
{
    if (at <= p->junk_at)
        return; // a packet that comes over another line first was told of before
    if (p->junk > 0.0) {
        lz_time begin = p->free_at > p->junk_at ? p->free_at : p->junk_at;
        double came = p->junk * (double)(at - p->junk_at) * 1e-9;
        lz_time full = at + time_for(p, p->buffer), then = begin + time_for(p, came);
        if (then > p->free_at)
            p->free_at = then < full ? then : p->free_at > full ? p->free_at : full;
    }
    p->junk_at = at;
}

void lz_pipe_set_junk(struct lz_pipe *p, lz_time at, double bytes_per_s)
{
    LZ_ASSERT(bytes_per_s >= 0.0);
    account_junk(p, at);
    p->junk = bytes_per_s;
}

void lz_pipe_set_rate(struct lz_pipe *p, lz_time at, double bytes_per_s)
{
    LZ_ASSERT(bytes_per_s >= LZ_PIPE_RATE_MIN);
    account_junk(p, at);
    double waits = lz_pipe_backlog(p, at);
    p->rate = bytes_per_s;
    if (p->free_at > at)
        p->free_at = at + time_for(p, waits);
}

struct lz_pipe_answer lz_pipe_offer(struct lz_pipe *p, const struct lz_pipe_load *load,
                                    struct lz_draw *draw)
{
    LZ_ASSERT(p->rate >= LZ_PIPE_RATE_MIN);
    LZ_ASSERT(load->bytes > 0.0 && load->packet > 0.0);
    account_junk(p, load->at);
    double backlog = lz_pipe_backlog(p, load->at);
    double accepted = load->bytes;
    // Room for one of them there always is on an idle line, however small the buffer.
    double fits = p->buffer + load->room - backlog;
    bool is_idle = !(backlog > 0.0);
    if (p->junk > p->rate && backlog + load->packet >= p->buffer) {
        bool gets_in = lz_draw_unit(draw) < p->rate / p->junk;
        if (!gets_in)
            accepted = 0.0;
    } else if (accepted > fits) {
        double packets = fits > 0.0 ? (double)(int64_t)(fits / load->packet) : 0.0;
        accepted = packets * load->packet;
        if (is_idle && accepted < load->packet)
            accepted = load->packet < load->bytes ? load->packet : load->bytes;
    }
    LZ_ASSERT(accepted <= load->bytes);
    lz_time begin = is_idle ? load->at : p->free_at;
    double first = load->packet < accepted ? load->packet : accepted;
    if (accepted > 0.0)
        p->free_at = begin + time_for(p, accepted);
    return (struct lz_pipe_answer){.accepted = accepted,
                                   .first_leaves = begin + time_for(p, first),
                                   .leaves = begin + time_for(p, accepted)};
}
