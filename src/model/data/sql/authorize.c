#include "model/data/sql/authorize.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/hash.h"

#define STEPS_BETWEEN_LOOKS 1000

static const struct refusal {
    int action;
    const char *format; // one %s: what is named
} refusals[] = {
    {SQLITE_ATTACH, "ATTACH is refused: a scenario reaches no file through SQL"},
    {SQLITE_DETACH, "DETACH is refused: a database is one file"},
    {SQLITE_PRAGMA, "PRAGMA %s is refused: what a database is like is said in its block"},
    {SQLITE_TRANSACTION, "%s is refused in SQL text: write req:transaction(...)"},
    {SQLITE_SAVEPOINT, "SAVEPOINT is refused in SQL text: write req:transaction(...)"},
    {SQLITE_CREATE_VTABLE, "the virtual table %s is refused: it could not be replicated"},
    {SQLITE_DROP_VTABLE, "the virtual table %s is refused: it could not be replicated"},
    {SQLITE_CREATE_TEMP_TABLE, "the temporary table %s is refused: connections are shared"},
    {SQLITE_CREATE_TEMP_INDEX, "the temporary index %s is refused: connections are shared"},
    {SQLITE_CREATE_TEMP_VIEW, "the temporary view %s is refused: connections are shared"},
    {SQLITE_CREATE_TEMP_TRIGGER, "the temporary trigger %s is refused: connections are shared"},
};

static const struct function {
    const char *name, *why;
} functions[] = {
    {"load_extension", "a scenario loads nothing"},
    {"readfile", "a scenario reaches no file through SQL"},
    {"writefile", "a scenario reaches no file through SQL"},
    {"edit", "a scenario reaches no file through SQL"},
    {"fts3_tokenizer", "a scenario loads nothing"},
    {"sqlite_version", "it says what this machine has"},
    {"sqlite_source_id", "it says what this machine has"},
    {"sqlite_compileoption_get", "it says what this machine has"},
    {"sqlite_compileoption_used", "it says what this machine has"},
    {"sqlite_offset", "it says how the file is laid out"},
};

static int refuse_function(struct lz_authorize *a, const char *name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (strcasecmp(functions[i].name, name) != 0)
            continue;
        snprintf(a->refused, sizeof(a->refused), "%s() is refused: %s", name, functions[i].why);
        return SQLITE_DENY;
    }
    return SQLITE_OK;
}

static bool starts_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

// Tables that are not the scenario's: ours, and SQLite's own but for what describes the schema.
static int refuse_table(struct lz_authorize *a, int action, const char *name)
{
    static const char *const known[] = {"sqlite_master",      "sqlite_schema",
                                        "sqlite_sequence",    "sqlite_temp_master",
                                        "sqlite_temp_schema", "sqlite_autoindex"};
    bool is_reached = true;
    if (strcasecmp(name, LZ_AUTHORIZE_TABLE) == 0)
        is_reached = false;
    else if (starts_with(name, "sqlite_") && action == SQLITE_READ &&
             !starts_with(name, "sqlite_stat"))
        is_reached = false;
    for (size_t i = 0; !is_reached && i < sizeof(known) / sizeof(known[0]); i++)
        is_reached = starts_with(name, known[i]);
    if (is_reached)
        return SQLITE_OK;
    snprintf(a->refused, sizeof(a->refused), "the table %s is refused: it is the database's own",
             name);
    return SQLITE_DENY;
}

static bool changes_schema(int action)
{
    switch (action) {
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TRIGGER:
    case SQLITE_DROP_VIEW:
    case SQLITE_ALTER_TABLE:
    case SQLITE_REINDEX:
    case SQLITE_ANALYZE:
        return true;
    default:
        return false;
    }
}

static void add_table(struct lz_authorize_touch *t, uint64_t *list, uint8_t *count, uint64_t table)
{
    for (uint8_t i = 0; i < *count; i++)
        if (list[i] == table)
            return;
    if (*count == LZ_AUTHORIZE_TABLES_MAX)
        t->is_full = true;
    else
        list[(*count)++] = table;
}

// Who updates or deletes looks for rows of the table; who inserts does not.
static void touch(struct lz_authorize *a, int action, const char *table)
{
    struct lz_authorize_touch *t = &a->touch;
    bool writes = action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
    if (table == NULL || (action != SQLITE_READ && !writes))
        return;
    uint64_t hash = lz_hash_text(table);
    if (action != SQLITE_INSERT)
        add_table(t, t->reads, &t->read_count, hash);
    if (writes)
        add_table(t, t->writes, &t->write_count, hash);
}

static int allow(void *ctx, int action, const char *first, const char *second, const char *db,
                 const char *trigger)
{
    (void)db;
    (void)trigger;
    struct lz_authorize *a = ctx;
    if (action == SQLITE_ALTER_TABLE && second != NULL)
        snprintf(a->altered, sizeof(a->altered), "%s", second);
    if (a->is_ours)
        return SQLITE_OK;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].action != action)
            continue;
        const char *name = first != NULL ? first : "it";
        // The format is one of the table above.
        const char *hole = strstr(refusals[i].format, "%s");
        if (hole == NULL)
            snprintf(a->refused, sizeof(a->refused), "%s", refusals[i].format);
        else
            snprintf(a->refused, sizeof(a->refused), "%.*s%s%s", (int)(hole - refusals[i].format),
                     refusals[i].format, name, hole + 2);
        return SQLITE_DENY;
    }
    a->alters = a->alters || changes_schema(action);
    touch(a, action, first);
    if (action == SQLITE_FUNCTION && second != NULL)
        return refuse_function(a, second);
    if ((action == SQLITE_READ || action == SQLITE_INSERT || action == SQLITE_UPDATE ||
         action == SQLITE_DELETE || action == SQLITE_DROP_TABLE || action == SQLITE_CREATE_TABLE) &&
        first != NULL)
        return refuse_table(a, action, first);
    if (action == SQLITE_ALTER_TABLE && second != NULL)
        return refuse_table(a, action, second);
    return SQLITE_OK;
}

static int look(void *ctx)
{
    struct lz_authorize *a = ctx;
    a->steps += STEPS_BETWEEN_LOOKS;
    return !a->is_ours && a->steps > LZ_AUTHORIZE_STEPS_MAX;
}

const char *lz_authorize_message(const struct lz_authorize *a, sqlite3 *db)
{
    static char text[320];
    int rc = sqlite3_errcode(db);
    if (rc == SQLITE_INTERRUPT)
        return "stopped after 10 million steps: does the query end?";
    const char *own = sqlite3_errmsg(db);
    if (a->refused[0] != '\0' && (rc == SQLITE_AUTH || rc == SQLITE_ERROR))
        return a->refused;
    const char *function = strstr(own, "no such function: ");
    struct lz_authorize probe = {0};
    if (function != NULL && refuse_function(&probe, function + strlen("no such function: ")) != 0) {
        snprintf(text, sizeof(text), "%s", probe.refused);
        return text;
    }
    snprintf(text, sizeof(text), "%s", own);
    return text;
}

void lz_authorize_install(sqlite3 *db, struct lz_authorize *a)
{
    static const struct {
        int id, most;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, LZ_AUTHORIZE_BYTES_MAX},
        {SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
        {SQLITE_LIMIT_COLUMN, 500},
        {SQLITE_LIMIT_EXPR_DEPTH, 200},
        {SQLITE_LIMIT_COMPOUND_SELECT, 200},
        {SQLITE_LIMIT_FUNCTION_ARG, 100},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 100},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        sqlite3_limit(db, limits[i].id, limits[i].most);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL); // "x" is a name, never a text
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_set_authorizer(db, allow, a);
    sqlite3_progress_handler(db, STEPS_BETWEEN_LOOKS, look, a);
}
