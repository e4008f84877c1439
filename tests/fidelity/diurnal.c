/*
 * Q37, Mt/M/infinity: a sine of arrivals into as many servers as there are customers. The number in
 * the system is a sine too, flatter and later: 100 + 50 sin(2 pi t / 3600 s) a minute, held for 600
 * s on average, is 1000 + 345.31 sin(2 pi (t - 463.21 s) / 3600 s). Eick, Massey and Whitt,
 * "Mt/G/inf queues with sinusoidal arrival rates" (1993): amplitude b / mu / sqrt(1 + (w/mu)^2),
 * lag atan(w/mu) / w.
 *
 * Method: a hundred periods; a sine is fitted to the number's windows. A window of
 * width d averages, which flattens a sine by sin(w d / 2) / (w d / 2); the first five periods are
 * left out. The tolerance is the published one: mean 0.5 %, amplitude 2 %, lag 20 s.
 *
 *     diurnal SCENARIO
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/script.h"

#define TEXT_MAX 65536
#define PERIOD 3600.0
#define SKIPPED 5 // periods, until it has forgotten that it began empty
#define TWO_PI 6.283185307179586

static const struct {
    double mean, amplitude, lag;
} want = {1000.0, 345.31, 463.21};

struct fit {
    double mean, amplitude, lag;
};

// Solves the three normal equations `a` x = `b` by elimination; they are far from singular.
static void solve(double a[3][4])
{
    for (int i = 0; i < 3; i++)
        for (int row = 0; row < 3; row++) {
            double f = row == i ? 0.0 : a[row][i] / a[i][i];
            for (int k = 0; k < 4; k++)
                a[row][k] -= f * a[i][k];
        }
    for (int i = 0; i < 3; i++)
        a[i][3] /= a[i][i];
}

// Least squares, because windows need not divide a period.
static struct fit fit_sine(const struct lz_metrics *m, lz_metric id)
{
    double width = (double)lz_metrics_width(m) / (double)LZ_S, w = TWO_PI / PERIOD;
    double a[3][4] = {{0}};
    for (size_t i = (size_t)(SKIPPED * PERIOD / width); i < lz_metrics_windows(m, id); i++) {
        double t = ((double)i + 0.5) * width;
        double row[4] = {1.0, sin(w * t), cos(w * t), lz_metrics_stored(m, id, i).value};
        for (int r = 0; r < 3; r++)
            for (int k = 0; k < 4; k++)
                a[r][k] += row[r] * row[k];
    }
    solve(a);
    double flat = sin(w * width / 2) / (w * width / 2), s = a[1][3] / flat, c = a[2][3] / flat;
    return (struct fit){.mean = a[0][3], .amplitude = sqrt(s * s + c * c), .lag = atan2(-c, s) / w};
}

static bool load(const char *path, struct lz_script **script, struct lz_script_world *world)
{
    static char text[TEXT_MAX];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    struct lz_err err;
    const struct lz_script_opts opts = {.path = path, .source = text, .source_len = len};
    if (!lz_script_load(&opts, script, &err) || !lz_script_build(*script, 1, 0, world)) {
        fputs(lz_script_diagnostics(*script, false), stderr);
        return false;
    }
    return lz_script_run(*script) == LZ_SIM_ENDED;
}

static int checked, failed;

static void check(const char *name, double got, double wanted, double room)
{
    bool ok = fabs(got - wanted) <= room;
    failed += !ok;
    printf("%s %d - %s\n# %.6g, want %.6g within %.4g\n", ok ? "ok" : "not ok", ++checked, name,
           got, wanted, room);
}

int main(int argc, char **argv)
{
    struct lz_script *script = NULL;
    struct lz_script_world world;
    if (argc != 2 || !load(argv[1], &script, &world)) {
        fputs("usage: diurnal SCENARIO\n", stderr);
        return 2;
    }
    lz_component_id q = lz_world_find(world.world, "q");
    struct fit got = fit_sine(world.world->metrics, lz_world_metric(world.world, q, "in_flight"));
    check("the mean is that of the mean rate", got.mean, want.mean, 0.005 * want.mean);
    check("the wave is flatter by the formula", got.amplitude, want.amplitude,
          0.02 * want.amplitude);
    check("and later by the formula", got.lag, want.lag, 20.0);
    printf("1..%d\n", checked);
    lz_script_destroy(script);
    return failed > 0;
}
