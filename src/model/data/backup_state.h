/* backup_state.h — what is backed up, as backup.c makes it and restore.c reads it. */
#ifndef LZ_MODEL_DATA_BACKUP_STATE_H
#define LZ_MODEL_DATA_BACKUP_STATE_H

#include "model/data/backup.h"
#include "model/data/query.h"

struct lz_backup_base {
    struct lz_snapshot *snapshot;
    uint64_t lsn;
    lz_time at;       /* what it holds is of then */
    bool is_complete; /* copied */
    bool is_corrupt;  /* nobody knows */
};

struct lz_backup_record {
    uint64_t lsn;
    struct lz_change change;
    lz_time at;
    bool acked;
};

/* A restore, or a drill, under way. */
struct lz_restore {
    bool is_on;
    lz_time began, at; /* at -1: as much as there is */
    uint32_t base;     /* one more than its place in the list; 0: none is left */
    uint64_t number;   /* of it: an event of an earlier one is void */
};

struct lz_backups {
    struct lz_backup_opts opts;
    struct lz_backup_base bases[LZ_BACKUP_KEEP_MAX + 1]; /* the oldest first */
    uint32_t base_count;
    bool is_running;                  /* the last of them is being copied */
    struct lz_backup_record *records; /* since the oldest */
    uint32_t record_count, record_cap;
    uint64_t archived; /* up to this LSN */
    lz_time archived_at;
    uint32_t asked; /* so often whether they can be reached */
    struct lz_restore restore, drill;
    lz_kind full, done, archive, drill_begin, restored, drilled;
};

/* backup.c */
void lz_backup_begin(struct lz_world *w, struct lz_database *d);
bool lz_backup_can_reach(struct lz_world *w, const struct lz_database *d);
lz_time lz_backup_copy_time(const struct lz_backups *b);
void lz_backup_drop_since(struct lz_database *d, uint64_t lsn);

/* restore.c */
void lz_restores_init(struct lz_world *w, struct lz_backups *b);

#endif
