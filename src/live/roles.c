#include "live/roles.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/inner.h"
#include "live/prepare.h"
#include "live/probe/asker.h"
#include "model/real.h"

struct role {
    struct lz_live *live;
    const struct lz_live_target *target;
    struct lz_live_probe probe; // filled in
    struct lz_asker *asker;
    bool leads;
    uint32_t alike; // answers in a row that are other than `leads`
};

struct lz_roles {
    struct role *all;
    size_t count;
};

static void on_answer(void *ctx, const struct lz_live_reading *reading, const char *said)
{
    struct role *r = ctx;
    struct lz_world *w = lz_live_world(r->live);
    lz_component_id of = r->target->of;
    (void)said;
    r->alike = reading->is_ok != r->leads ? r->alike + 1 : 0;
    if (r->alike < (r->leads ? r->probe.fails : r->probe.passes))
        return;
    r->leads = !r->leads;
    r->alike = 0;
    if (!r->leads || lz_real_leader(w, of) == r->target->instance)
        return;
    lz_live_note(r->live, "%s is the primary of %s", r->target->name,
                 lz_world_component(w, of)->name);
    lz_real_leads(w, of, r->target->instance);
}

bool lz_roles_start(struct lz_live *live, struct lz_roles **out, struct lz_err *err)
{
    struct lz_site *site = lz_live_site(live);
    struct lz_roles *roles = lz_mem_alloc(sizeof(*roles));
    *roles =
        (struct lz_roles){.all = lz_mem_alloc((site->process_count + 1) * sizeof(struct role))};
    *out = roles;
    for (size_t i = 0; i < site->process_count; i++) {
        const struct lz_site_process *p = &site->processes[i];
        if (!p->target->has_primary)
            continue;
        struct role *r = &roles->all[roles->count];
        *r = (struct role){.live = live, .target = p->target, .probe = p->target->primary};
        if (!lz_prepare_probe(site, p, &live->texts, &r->probe, err))
            return lz_fail_in(err, "is_primary of %s", p->target->name);
        r->asker = lz_asker_start(live, &r->probe, p, on_answer, r);
        roles->count++;
    }
    return true;
}

void lz_roles_stop(struct lz_roles *roles)
{
    if (roles == NULL)
        return;
    for (size_t i = 0; i < roles->count; i++)
        lz_asker_stop(roles->all[i].asker);
    free(roles->all);
    free(roles);
}
