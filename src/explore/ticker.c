#include "explore/ticker.h"

#include <signal.h>
#include <sys/time.h>

#include "base/check.h"
#include "script/script.h"

#define TICK_US 25000

static void on_tick(int signal)
{
    (void)signal;
    lz_script_tick();
}

static void set(int period_us)
{
    const struct itimerval timer = {.it_interval = {.tv_usec = period_us},
                                    .it_value = {.tv_usec = period_us}};
    int status = setitimer(ITIMER_PROF, &timer, NULL);
    LZ_ASSERT(status == 0);
}

void lz_ticker_start(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    int status = sigaction(SIGPROF, &action, NULL);
    LZ_ASSERT(status == 0);
    set(TICK_US);
}

void lz_ticker_stop(void)
{
    set(0);
    signal(SIGPROF, SIG_IGN);
}
