#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/format.h"
#include "report/formats.h"

// Inside double quotes of Mermaid: what could be read as markup is an entity.
static void add_mermaid(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char u = (unsigned char)*c;
        bool is_plain = u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'A' && u <= 'Z') ||
                        (u >= 'a' && u <= 'z') || strchr(" .,:/%_=()-", *c) != NULL;
        if (is_plain)
            lz_str_add_char(out, *c);
        else
            lz_str_addf(out, "#%u;", u >= 0x20 ? u : 0x20u);
    }
}

static void add_dot(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            lz_str_add_char(out, '\\');
        lz_str_add_char(out, (unsigned char)*c >= 0x20 ? *c : ' ');
    }
}

struct graph {
    struct lz_str *out;
    const struct lz_report_run *run;
    size_t number; // of the run: part of each id
    bool is_dot;
    const char *indent;
};

static const char *shape_of(const struct graph *g, const char *kind, bool is_end)
{
    static const struct {
        const char *kind, *open, *close, *dot;
    } shapes[] = {
        {"traffic", "([\"", "\"])", "oval"},
        {"database", "[(\"", "\")]", "cylinder"},
        {"cache", "[(\"", "\")]", "cylinder"},
        {"store", "[(\"", "\")]", "cylinder"},
        {"", "[\"", "\"]", "box"},
    };
    size_t i = 0;
    while (shapes[i].kind[0] != '\0' && strcmp(shapes[i].kind, kind) != 0)
        i++;
    return g->is_dot ? shapes[i].dot : is_end ? shapes[i].close : shapes[i].open;
}

static void add_label(const struct graph *g, const char *text)
{
    if (g->is_dot)
        add_dot(g->out, text);
    else
        add_mermaid(g->out, text);
}

static void write_nodes(const struct graph *g)
{
    sqlite3_stmt *q =
        lz_run_ask(g->run, "select id, name, kind, instances from component order by id", 0, 0);
    while (lz_run_next(&q)) {
        struct lz_str label;
        const char *kind = lz_run_text(q, 2);
        int64_t id = sqlite3_column_int64(q, 0), instances = sqlite3_column_int64(q, 3);
        lz_str_init(&label);
        lz_str_add(&label, lz_run_text(q, 1));
        lz_str_addf(g->out, "%sr%zuc%" PRId64, g->indent, g->number, id);
        lz_str_addf(g->out, g->is_dot ? " [shape=%s, label=\"" : "%s", shape_of(g, kind, false));
        add_label(g, label.text);
        if (instances > 1)
            lz_str_addf(g->out, g->is_dot ? "\\n%" PRId64 "x" : "<br/>%" PRId64 "x", instances);
        lz_str_addf(g->out, "%s\n", g->is_dot ? "\"];" : shape_of(g, kind, true));
        lz_str_finish(&label);
    }
}

static void write_edges(const struct graph *g)
{
    sqlite3_stmt *q =
        lz_run_ask(g->run,
                   "select client, server, coalesce(group_concat(distinct op), '') from edge"
                   " group by client, server order by min(id)",
                   0, 0);
    while (lz_run_next(&q)) {
        const char *op = lz_run_text(q, 2);
        lz_str_addf(g->out, "%sr%zuc%" PRId64 " %s", g->indent, g->number,
                    (int64_t)sqlite3_column_int64(q, 0), g->is_dot ? "-> " : "-->");
        if (!g->is_dot && op[0] != '\0') {
            lz_str_add(g->out, "|\"");
            add_label(g, op);
            lz_str_add(g->out, "\"|");
        }
        lz_str_addf(g->out, "%sr%zuc%" PRId64, g->is_dot ? "" : " ", g->number,
                    (int64_t)sqlite3_column_int64(q, 1));
        if (g->is_dot && op[0] != '\0') {
            lz_str_add(g->out, " [label=\"");
            add_label(g, op);
            lz_str_add(g->out, "\"]");
        }
        lz_str_add(g->out, g->is_dot ? ";\n" : "\n");
    }
}

// A fault points at each component that its target names, as a word of its own.
static void write_fault_edges(const struct graph *g, int64_t fault)
{
    sqlite3_stmt *q = lz_run_ask(
        g->run,
        "select c.id from component c, fault f where f.id = ?1 and (f.target = c.name"
        " or f.target like c.name || '.%' or f.target like c.name || '[%'"
        " or f.target like c.name || ' %' or f.target like '% ' || c.name"
        " or f.target like '% ' || c.name || '.%' or f.target like '% ' || c.name || '[%')"
        " order by c.id",
        fault, 0);
    while (lz_run_next(&q))
        lz_str_addf(g->out,
                    g->is_dot ? "%sr%zuf%" PRId64 " -> r%zuc%" PRId64
                                " [style=dashed, color=red];\n"
                              : "%sr%zuf%" PRId64 " -.-> r%zuc%" PRId64 "\n",
                    g->indent, g->number, fault, g->number, (int64_t)sqlite3_column_int64(q, 0));
}

static void write_faults(const struct graph *g)
{
    sqlite3_stmt *q =
        lz_run_ask(g->run,
                   "select id, name, coalesce(started_ns, at_ns, -1), ended_ns, effect, effect_unit"
                   " from fault order by id",
                   0, 0);
    while (lz_run_next(&q)) {
        char from[40], to[40];
        int64_t id = sqlite3_column_int64(q, 0);
        lz_time start = lz_run_time(q, 2), end = lz_run_time(q, 3);
        lz_str_addf(g->out,
                    g->is_dot ? "%sr%zuf%" PRId64 " [shape=octagon, color=red, label=\""
                              : "%sr%zuf%" PRId64 "{{\"",
                    g->indent, g->number, id);
        add_label(g, lz_run_text(q, 1));
        lz_str_add(g->out, g->is_dot ? "\\n" : "<br/>");
        if (start < 0)
            lz_str_add(g->out, "never fired");
        else
            add_label(g, lz_format_duration(from, sizeof(from), start));
        if (start >= 0 && end > start) {
            lz_str_add(g->out, " to ");
            add_label(g, lz_format_duration(to, sizeof(to), end));
        }
        lz_str_add(g->out, g->is_dot ? "\"];\n" : "\"}}\n");
        write_fault_edges(g, id);
    }
}

// Equal scenarios have equal graphs: the first run of each file is drawn.
static bool is_first(struct lz_report_run *const *runs, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(runs[i]->file, runs[at]->file) == 0)
            return false;
    return true;
}

static void write_all(struct lz_str *out, struct lz_report_run *const *runs, size_t count,
                      bool is_dot)
{
    size_t graphs = 0;
    for (size_t i = 0; i < count; i++)
        graphs += is_first(runs, i);
    for (size_t i = 0; i < count; i++) {
        if (!is_first(runs, i))
            continue;
        struct graph g = {.out = out,
                          .run = runs[i],
                          .number = i + 1,
                          .is_dot = is_dot,
                          .indent = graphs > 1 ? "    " : "  "};
        if (graphs > 1) {
            lz_str_addf(out,
                        is_dot ? "  subgraph cluster_%zu {\n    label=\"" : "  subgraph r%zu[\"",
                        i + 1);
            add_label(&g, lz_run_title(runs[i]));
            lz_str_add(out, is_dot ? "\";\n" : "\"]\n");
        }
        write_nodes(&g);
        write_edges(&g);
        write_faults(&g);
        if (graphs > 1)
            lz_str_add(out, is_dot ? "  }\n" : "  end\n");
    }
}

void lz_graph_mermaid(struct lz_str *out, const struct lz_report_options *options,
                      struct lz_report_run *const *runs, size_t count)
{
    size_t from = out->len;
    (void)options;
    lz_str_add(out, "flowchart LR\n");
    write_all(out, runs, count, false);
    lz_str_make_plain(out, from);
}

void lz_graph_dot(struct lz_str *out, const struct lz_report_options *options,
                  struct lz_report_run *const *runs, size_t count)
{
    size_t from = out->len;
    (void)options;
    lz_str_add(out, "digraph lorenz {\n  rankdir=LR;\n");
    write_all(out, runs, count, true);
    lz_str_add(out, "}\n");
    lz_str_make_plain(out, from);
}
