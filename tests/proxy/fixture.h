/*
 * fixture.h — a stage for each test of a file, `s`, with an echo server behind it, or with the one
 * whose letter the file says before it includes this.
 */
#ifndef LZ_TESTS_PROXY_FIXTURE_H
#define LZ_TESTS_PROXY_FIXTURE_H

#include "stage.h"

#ifndef FIXTURE_SERVER
#define FIXTURE_SERVER 'e'
#endif

static struct stage s;

static int up(void **state)
{
    (void)state;
    stage_up(&s, FIXTURE_SERVER, 1);
    return 0;
}

static int down(void **state)
{
    (void)state;
    stage_down(&s);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

#endif
