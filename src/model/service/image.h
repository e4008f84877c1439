/*
 * image.h — the image that a replica's process is made from, and whether its node has it.
 *
 * A node keeps the images of what has run on it. A replica that starts where none of its service
 * has been, because it was added or put somewhere else, needs its image pulled first. Kubernetes'
 * imagePullPolicy ("Images", kubernetes.io/docs/concepts/containers/images):
 *
 *   IF_NOT_PRESENT   pulled where it is not
 *   ALWAYS           the registry is asked at each start; what the node has is not pulled again
 *   NEVER            a node that does not have it never starts it (ErrImageNeverPull)
 *
 * A pull that fails (ErrImagePull) is tried again after 10 s, and each time after twice as long, up
 * to 5 min (ImagePullBackOff: "a compiled-in limit, which is 300 seconds"); so what an outage of
 * the registry holds up starts up to 5 min after its end. One that is under way when the outage
 * begins fails where it would have ended.
 *
 * All replicas that run at the start have their image. A pull takes `pull_time`, from the moment a
 * replica that moves was told to; where it is not said it is in what starting takes.
 */
#ifndef LZ_MODEL_SERVICE_IMAGE_H
#define LZ_MODEL_SERVICE_IMAGE_H

#include "model/node/instance.h"
#include "model/world.h"

#define LZ_IMAGE_BACKOFF (10 * LZ_S)
#define LZ_IMAGE_BACKOFF_MAX (300 * LZ_S)

enum lz_image_policy { LZ_IMAGE_IF_NOT_PRESENT, LZ_IMAGE_ALWAYS, LZ_IMAGE_NEVER };

struct lz_image_opts {
    enum lz_image_policy policy;
    struct lz_dist pull_time; /* NONE: none of its own */
};

void lz_images_init(struct lz_world *w);

/* Before the run. */
void lz_image_declare(struct lz_world *w, lz_component_id service,
                      const struct lz_image_opts *opts);

/* Whether the replica's image is where it stands; if not, it is fetched, and who waits for it is
   asked to start again. */
bool lz_image_fetch(struct lz_world *w, lz_instance_id id);

/* Another pod begins there: what was pulled, or failed, for the one before is forgotten. */
void lz_image_forget(struct lz_world *w, lz_instance_id id);

/* For lz_instance_ops: a process is about to begin. */
bool lz_image_may_start(struct lz_world *w, lz_instance_id id);

#endif
