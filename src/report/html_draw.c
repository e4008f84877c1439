#include "report/html_draw.h"

#include <inttypes.h>
#include <string.h>

#include "check/format.h"
#include "report/json.h"

#define TICKS 8 // about so many instants

void lz_html_text(struct lz_str *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        size_t len = lz_json_sequence(p);
        bool is_control = *p < 0x20 && *p != '\n' && *p != '\t';
        bool turns = len == 3 && p[0] == 0xe2 &&
                     ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
                      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
        if (len == 0 || is_control || *p == 0x7f || turns)
            lz_str_add(out, "\xef\xbf\xbd");
        else if (strchr("<>&\"'", *p) != NULL)
            lz_str_addf(out, "&#%d;", *p);
        else
            lz_str_add_n(out, (const char *)p, len);
        p += len > 0 ? len : 1;
    }
}

double lz_html_x(const struct lz_report_run *run, lz_time at)
{
    double share = run->virtual_ns > 0 ? (double)at / (double)run->virtual_ns : 0.0;
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    return LZ_HTML_LEFT + share * (LZ_HTML_WIDTH - LZ_HTML_LEFT - 8);
}

void lz_html_svg_begin(struct lz_str *out, int height, const char *what)
{
    lz_str_addf(
        out,
        "<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\""
        " font-family=\"sans-serif\" font-size=\"11\"><title>",
        LZ_HTML_WIDTH, height, LZ_HTML_WIDTH, height);
    lz_html_text(out, what);
    lz_str_add(out, "</title>");
}

void lz_html_svg_end(struct lz_str *out)
{
    lz_str_add(out, "</svg></div>\n");
}

lz_time lz_html_tick(lz_time whole)
{
    static const int64_t seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,
                                      300, 600, 1800, 3600, 7200, 21600, 86400, 604800};
    size_t i = 0;
    while (i + 1 < sizeof(seconds) / sizeof(seconds[0]) && seconds[i] * LZ_S * TICKS < whole)
        i++;
    return seconds[i] * LZ_S;
}

void lz_html_ruler(struct lz_str *out, const struct lz_report_run *run, int y)
{
    lz_time step = lz_html_tick(run->virtual_ns);
    for (lz_time at = 0; at <= run->virtual_ns; at += step) {
        char text[40];
        double x = lz_html_x(run, at);
        bool is_last = x > LZ_HTML_WIDTH - 30;
        lz_str_addf(out,
                    "<path d=\"M%.1f %dv4\" stroke=\"#888\"/><text x=\"%.1f\" y=\"%d\""
                    " text-anchor=\"%s\" fill=\"#777\" class=\"q\">%s</text>",
                    x, y, x, y + 16, is_last ? "end" : "middle",
                    lz_format_instant(text, sizeof(text), at));
    }
}

void lz_html_bands(struct lz_str *out, const struct lz_report_run *run, int top, int bottom)
{
    if (run->warmup_ns > 0)
        lz_str_addf(out,
                    "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#999\""
                    " fill-opacity=\"0.12\"/>",
                    LZ_HTML_LEFT, top, lz_html_x(run, run->warmup_ns) - LZ_HTML_LEFT, bottom - top);
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select name, started_ns, ended_ns from fault"
                                 " where started_ns is not null order by id limit 200",
                                 0, 0);
    while (lz_run_next(&q)) {
        lz_time from = lz_run_time(q, 1), to = lz_run_time(q, 2);
        double x = lz_html_x(run, from);
        double wide = lz_html_x(run, to >= 0 ? to : run->virtual_ns) - x;
        lz_str_addf(out,
                    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#d55e00\""
                    " fill-opacity=\"0.13\"><title>",
                    x, top, wide > 1.0 ? wide : 1.0, bottom - top);
        lz_html_text(out, lz_run_text(q, 0));
        lz_str_add(out, "</title></rect>");
    }
}
