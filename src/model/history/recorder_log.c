#include "model/history/recorder_log.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/history/recorder_state.h"

static struct lz_recorder *recorder_of(const struct lz_world *w, lz_component_id topic)
{
    const struct lz_recorders *rs = w->recorders;
    LZ_ASSERT(lz_recorder_log_is_on(w, topic));
    return &rs->all[rs->by_component[topic] - 1];
}

// NULL: it is nobody's, or not recorded.
static struct lz_recorder_send *send_at(const struct lz_world *w, lz_component_id topic,
                                        uint32_t send)
{
    if (send == 0)
        return NULL;
    const struct lz_recorder *r = recorder_of(w, topic);
    LZ_ASSERT(send <= r->send_count);
    return &r->sends[send - 1];
}

uint32_t lz_recorder_log_send(struct lz_world *w, lz_component_id topic,
                              const struct lz_recorder_send *send)
{
    struct lz_recorder *r = recorder_of(w, topic);
    if (r->send_count >= LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return 0;
    }
    r->sends = lz_grow(w->arena, r->sends, &r->send_cap, r->send_count + 1, sizeof(*r->sends));
    struct lz_recorder_send *s = &r->sends[r->send_count++];
    *s = *send;
    s->begin = ++w->recorders->numbers;
    s->at = lz_sim_now(w->sim);
    s->outcome = LZ_RECORDER_UNKNOWN;
    return r->send_count;
}

void lz_recorder_log_answered(struct lz_world *w, lz_component_id topic, uint32_t send,
                              const uint64_t *offset)
{
    struct lz_recorder_send *s = send_at(w, topic, send);
    if (s == NULL || s->end != 0)
        return;
    s->end = ++w->recorders->numbers;
    s->done = lz_sim_now(w->sim);
    s->outcome = LZ_RECORDER_OK;
    s->has_offset = offset != NULL;
    s->offset = offset != NULL ? *offset : 0;
}

void lz_recorder_log_aborted(struct lz_world *w, lz_component_id topic, uint32_t send)
{
    struct lz_recorder_send *s = send_at(w, topic, send);
    if (s == NULL || s->end != 0)
        return;
    s->end = ++w->recorders->numbers;
    s->done = lz_sim_now(w->sim);
    s->outcome = LZ_RECORDER_FAIL;
}

void lz_recorder_log_gave_up(struct lz_world *w, lz_component_id topic, uint32_t send)
{
    struct lz_recorder_send *s = send_at(w, topic, send);
    if (s != NULL)
        s->done = lz_sim_now(w->sim);
}

void lz_recorder_log_appended(struct lz_world *w, lz_component_id topic, uint32_t send)
{
    struct lz_recorder_send *s = send_at(w, topic, send);
    if (s != NULL)
        s->appended++;
}

void lz_recorder_log_lost(struct lz_world *w, lz_component_id topic, uint32_t send)
{
    struct lz_recorder_send *s = send_at(w, topic, send);
    if (s != NULL)
        s->is_lost = true;
}

uint32_t lz_recorder_log_offer(struct lz_world *w, lz_component_id topic,
                               const struct lz_recorder_poll *poll)
{
    struct lz_recorder *r = recorder_of(w, topic);
    if (r->poll_count >= LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return 0;
    }
    r->polls = lz_grow(w->arena, r->polls, &r->poll_cap, r->poll_count + 1, sizeof(*r->polls));
    r->polls[r->poll_count++] = *poll;
    return r->poll_count;
}

void lz_recorder_log_heard(struct lz_world *w, lz_component_id topic, uint32_t first,
                           uint32_t count)
{
    struct lz_recorder *r = recorder_of(w, topic);
    LZ_ASSERT(count == 0 || (first > 0 && first - 1 + count <= r->poll_count));
    for (uint32_t i = 0; i < count; i++) {
        r->polls[first - 1 + i].number = ++w->recorders->numbers;
        r->polls[first - 1 + i].at = lz_sim_now(w->sim);
    }
}
