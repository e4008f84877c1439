#include "report/report.h"

#include <string.h>

#include "base/check.h"
#include "report/formats.h"

// A format is one file and one row here.
static const struct lz_report_format formats[] = {
    {"json", "one document with every run, expectation, fault and metric", lz_report_json},
};

size_t lz_report_format_count(void)
{
    return sizeof(formats) / sizeof(formats[0]);
}

const struct lz_report_format *lz_report_format_get(size_t i)
{
    LZ_ASSERT(i < lz_report_format_count());
    return &formats[i];
}

const struct lz_report_format *lz_report_format_find(const char *name)
{
    for (size_t i = 0; i < lz_report_format_count(); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
