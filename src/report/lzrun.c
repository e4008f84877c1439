#include <sqlite3.h>

#include "base/check.h"
#include "record/record.h"
#include "report/formats.h"

// The record as it was opened; who asks for it sees to it that there is one.
void lz_lzrun_write(struct lz_str *out, const struct lz_report_options *options,
                    struct lz_report_run *const *runs, size_t count)
{
    sqlite3_int64 size = 0;
    (void)options;
    if (count != 1)
        return;
    unsigned char *image = sqlite3_serialize(runs[0]->db, "main", &size, 0);
    LZ_ASSERT(image != NULL || size == 0);
    if (image != NULL) {
        unsigned char seal[LZ_RECORD_SEAL];
        lz_record_seal(image, (size_t)size, seal);
        lz_str_add_n(out, (const char *)image, (size_t)size);
        lz_str_add_n(out, (const char *)seal, sizeof(seal));
    }
    sqlite3_free(image);
}
