#include "live/machine/burn.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define PERIOD_NS (10 * NS_PER_MS) // of a core that is kept busy in part
#define NICE (-10)                 // a weight of 9,548 against 1,024
#define STEP_BYTES (64u << 20)     // of memory, before it looks up again
#define KEEP_BYTES (512.0 * 1024 * 1024)
#define BUSY_NS (10 * NS_PER_MS) // of processor time: that burner has burned

// What the children look at while they work.
struct orders {
    _Atomic uint64_t load_ppm[LZ_BURN_CORES_MAX]; // of each burner's core
    _Atomic uint64_t bytes, rate, taken;
};

struct lz_burn {
    struct lz_loop *loop;
    struct orders *orders;
    uint32_t count;
    pid_t pids[LZ_BURN_CORES_MAX];
    bool is_memory;
};

unsigned lz_burn_machine_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (unsigned)count : 1;
}

double lz_burn_machine_memory(void)
{
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

static void sleep_ns(int64_t ns)
{
    const struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    nanosleep(&t, NULL);
}

static _Noreturn void burn_core(struct orders *orders, uint32_t i)
{
    setpriority(PRIO_PROCESS, 0, NICE);
    int64_t begin = lz_loop_clock();
    for (;;) {
        uint64_t ppm = atomic_load(&orders->load_ppm[i]);
        int64_t until = begin + (int64_t)(ppm * (uint64_t)PERIOD_NS / 1000000);
        while (lz_loop_clock() < until)
            continue;
        begin += PERIOD_NS;
        int64_t rest = begin - lz_loop_clock();
        if (rest > 0)
            sleep_ns(rest);
        else if (rest < -PERIOD_NS)
            begin = lz_loop_clock(); // others had the core: what was missed is not made up for
    }
}

// What may still be taken, so that others are left enough.
static double room(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    char line[128];
    double kib = 0, keep = lz_burn_machine_memory() / 8;
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "MemAvailable: %lf", &kib) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return kib * 1024 - (keep > KEEP_BYTES ? keep : KEEP_BYTES);
}

static _Noreturn void hold_memory(struct orders *orders)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    if (fd < 0 || write(fd, "1000", 4) != 4)
        _exit(1); // it must be the first to go
    int64_t begin = lz_loop_clock();
    for (;;) {
        double passed = (double)(lz_loop_clock() - begin) / (double)NS_PER_S;
        double want =
            (double)atomic_load(&orders->bytes) + (double)atomic_load(&orders->rate) * passed;
        uint64_t taken = atomic_load(&orders->taken);
        double more = want - (double)taken, may = room();
        more = more < may ? more : may;
        if (more < 4096) {
            sleep_ns(20 * NS_PER_MS);
            continue;
        }
        size_t step = more < STEP_BYTES ? (size_t)more : STEP_BYTES;
        char *bytes = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (bytes == MAP_FAILED) {
            sleep_ns(100 * NS_PER_MS);
            continue;
        }
        // Not zeros: those could be merged or swapped for nothing.
        for (size_t at = 0; at < step; at += 4096)
            bytes[at] = (char)(at >> 12 | 1);
        atomic_store(&orders->taken, taken + step);
    }
}

static _Noreturn void child(struct lz_burn *b, uint32_t i, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    static const int not_ours[] = {SIGINT, SIGHUP, SIGQUIT, SIGTSTP};
    for (size_t s = 0; s < sizeof(not_ours) / sizeof(not_ours[0]); s++)
        signal(not_ours[s], SIG_IGN);
    prctl(PR_SET_NAME, b->is_memory ? "lorenz-memory" : "lorenz-cpu");
    lz_loop_forked(b->loop);
    close_range(3, ~0u, 0);
    if (b->is_memory)
        hold_memory(b->orders);
    burn_core(b->orders, i);
}

static bool start(struct lz_burn *b, struct lz_err *err)
{
    pid_t self = getpid();
    for (uint32_t i = 0; i < b->count; i++) {
        b->pids[i] = fork();
        if (b->pids[i] == 0)
            child(b, i, self);
        if (b->pids[i] < 0) {
            lz_fail(err, LZ_EIO, "cannot start a process: %s", strerror(errno));
            b->count = i;
            return false;
        }
    }
    return true;
}

static bool create(struct lz_loop *loop, uint32_t count, struct lz_burn **out, struct lz_err *err)
{
    void *memory = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return lz_fail(err, LZ_EIO, "cannot start a process: %s", strerror(errno));
    struct lz_burn *b = lz_mem_alloc(sizeof(*b));
    *b = (struct lz_burn){.loop = loop, .orders = memory, .count = count};
    *out = b;
    return true;
}

void lz_burn_set_cores(struct lz_burn *b, double cores)
{
    for (uint32_t i = 0; i < b->count; i++) {
        double load = cores - i < 0 ? 0 : cores - i > 1 ? 1 : cores - i;
        atomic_store(&b->orders->load_ppm[i], (uint64_t)(load * 1e6));
    }
}

bool lz_burn_cores(struct lz_loop *loop, double cores, struct lz_burn **out, struct lz_err *err)
{
    unsigned most = lz_burn_machine_cores();
    if (!(cores > 0.0) || cores > most || most > LZ_BURN_CORES_MAX)
        return lz_fail(err, LZ_ERANGE, "%g cores cannot be kept busy: this machine has %u", cores,
                       most);
    if (!create(loop, (uint32_t)ceil(cores), out, err))
        return false;
    lz_burn_set_cores(*out, cores);
    if (start(*out, err))
        return true;
    lz_burn_end(*out);
    return false;
}

void lz_burn_set_memory(struct lz_burn *b, double bytes, double rate)
{
    atomic_store(&b->orders->bytes, (uint64_t)bytes);
    atomic_store(&b->orders->rate, (uint64_t)rate);
}

bool lz_burn_memory(struct lz_loop *loop, double bytes, double rate, struct lz_burn **out,
                    struct lz_err *err)
{
    if (!create(loop, 1, out, err))
        return false;
    (*out)->is_memory = true;
    lz_burn_set_memory(*out, bytes, rate);
    if (start(*out, err))
        return true;
    lz_burn_end(*out);
    return false;
}

uint32_t lz_burn_busy(const struct lz_burn *b)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        clockid_t clock;
        struct timespec used;
        bool is_known =
            clock_getcpuclockid(b->pids[i], &clock) == 0 && clock_gettime(clock, &used) == 0;
        busy += is_known && (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec >= BUSY_NS;
    }
    return busy;
}

uint64_t lz_burn_bytes(const struct lz_burn *b)
{
    return atomic_load(&b->orders->taken);
}

static void on_ended(void *ctx, pid_t pid, int wait_status)
{
    (void)ctx;
    (void)pid;
    (void)wait_status;
}

void lz_burn_end(struct lz_burn *b)
{
    struct lz_err err;
    for (uint32_t i = 0; i < b->count; i++) {
        kill(b->pids[i], SIGKILL);
        // Giving back gigabytes takes the kernel a while: nobody waits for it here.
        if (!lz_loop_watch_child(b->loop, b->pids[i], on_ended, NULL, &err))
            waitpid(b->pids[i], NULL, WNOHANG);
    }
    munmap(b->orders, sizeof(*b->orders));
    free(b);
}
