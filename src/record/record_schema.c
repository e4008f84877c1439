// The tables of a run file. Ids are those of the run; null means none, unknown or not yet.

#include "record/record_rows.h"

#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)

const char lz_record_schema[] =
    "pragma journal_mode = off;"
    "pragma application_id = " NUMBER(
        LZ_RECORD_APPLICATION_ID) ";"
                                  "pragma user_version = 1;"
                                  "begin;"
                                  // seed: a number, or its digits if it does not fit an integer of
                                  // SQLite.
                                  "create table run (schema text, version text, file text, "
                                  "scenario text, about text,"
                                  " case_id text, seed, token text, verdict text, why text, "
                                  "trace_hash text, events integer,"
                                  " virtual_ns integer, warmup_ns integer, stop text, error text, "
                                  "source text,"
                                  " in_flight_max integer, in_flight_bytes integer, memory_bytes "
                                  "integer, ordinal integer);"
                                  "create table param (name text, value text);"
                                  "create table component (id integer primary key, name text, kind "
                                  "text, line integer,"
                                  " instances integer, bytes integer);"
                                  "create table edge (id integer primary key, client integer, "
                                  "server "
                                  "integer, op text);"
                                  "create table instance (id integer primary key, component "
                                  "integer, ordinal integer,"
                                  " host text, zone text, region text);"
                                  "create table metric (id integer primary key, component integer, "
                                  "name text, unit text,"
                                  " view text, whole real, present integer);"
                                  // low, high: of a level only.
                                  "create table series (metric integer, start_ns integer, width_ns "
                                  "integer, value real,"
                                  " low real, high real, count integer, primary key (metric, "
                                  "start_ns)) without rowid;"
                                  "create table event (seq integer primary key, at_ns integer, "
                                  "component integer,"
                                  " instance integer, kind text, text text, line integer);"
                                  "create table fault (id integer primary key, kind text, name "
                                  "text, target text,"
                                  " line integer, at_ns integer, started_ns integer, ended_ns "
                                  "integer, firings integer,"
                                  " effect integer, effect_unit text, missed integer);"
                                  // violates: the side of limit_value (up to limit_b) that is no
                                  // good.
                                  "create table expectation (id integer primary key, name text, "
                                  "line integer, temporal text,"
                                  " metric integer, verdict text, severity text, expected text, "
                                  "actual text, spare text,"
                                  " why text, margin real, value real, at_ns integer, deadline_ns "
                                  "integer, within_ns integer,"
                                  " limit_value real, limit_b real, limit_text text, violates "
                                  "text, because text, details text);"
                                  // JSON lines, an event each: see history_write.h.
                                  "create table history (component integer primary key, "
                                  "operations integer, lines text);"
                                  "create table request (id integer primary key, traffic integer, "
                                  "ordinal integer,"
                                  " intended_ns integer, end_ns integer, outcome text, status "
                                  "integer, spans integer,"
                                  " kept_as text);"
                                  "create table span (request integer, call integer, parent_call "
                                  "integer, client integer,"
                                  " server integer, component integer, op text, attempt integer, "
                                  "outcome text,"
                                  " status integer, start_ns integer, end_ns integer, connect_ns "
                                  "integer, queue_ns integer,"
                                  " work_ns integer, network_ns integer, retry_wait_ns integer);"
                                  "create table message (request integer, call integer, kind text, "
                                  "component integer, instance integer, topic integer, partition "
                                  "integer, record_offset integer, outcome text, start_ns integer, "
                                  "end_ns integer);";
