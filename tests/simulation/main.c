/* main.c - undertone-simulate: runs worlds by seed or by name, and says how to run a failed one
 * again. Each world is a process of its own, so that a crash is a result like any other. */
#include "base/keyhash.h"
#include "scenarios.h"
#include "simulation.h"
#include "world.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "  undertone-simulate --seed 42            one world\n"
    "  undertone-simulate --seed 42 --trace    with everything that happens in it\n"
    "  undertone-simulate --seeds 1..300 --jobs 2\n"
    "  undertone-simulate --scenario outage    a named one; --scenario all: each of them\n"
    "\n"
    "Runs undertone's daemon in a simulated world: clock, network, vendor, disk, scorer and "
    "faults,\n"
    "all from one seed. Exit status 0 if every promise held, 1 if not.\n"
    "\n"
    "  -s, --seed N          the seed of one world\n"
    "  -S, --seeds A..B      all seeds from A to B\n"
    "  -n, --scenario NAME   a named scenario; `list` names them\n"
    "  -j, --jobs N          worlds at the same time [1]\n"
    "  -t, --trace           print all that happens\n"
    "  -p, --plan            print what the seed came to\n"
    "  -h, --help            this text\n";

struct options {
    uint64_t first;
    uint64_t last;
    const char *scenario;
    unsigned jobs;
    bool trace;
    bool plan;
};

struct total {
    uint64_t worlds;
    uint64_t failed;
    uint64_t events;
    uint64_t calls;
    uint64_t checked;
    uint64_t utterances;
    uint64_t suggestions;
    uint64_t unknown;
    uint64_t lives;
    double hours;
};

/* --- one world ------------------------------------------------------------------------------- */

static bool run_seed(uint64_t seed, const struct options *options, struct figures *figures)
{
    struct plan plan;
    plan_from_seed(&plan, seed);
    world_print_trace(options->trace);
    if (options->plan || options->trace) {
        plan_print(&plan);
    }
    simulation_run(&plan, figures);
    simulation_end();
    if (figures->failures > 0) {
        (void)printf("seed %llu: %u promises broken; again with:\n"
                     "    undertone-simulate --seed %llu --trace\n",
                     (unsigned long long)seed, figures->failures, (unsigned long long)seed);
    }
    return figures->failures == 0;
}

static void print_figures(const struct figures *figures)
{
    (void)printf(
        "%.0f s simulated, %llu events, fingerprint %016llx\n"
        "%u calls (%u with attributes foretold), %llu utterances, %llu scored, %llu alerts, "
        "%llu suggestions, %llu unknown, %llu writes\n"
        "%u lives; requests: %llu polls %llu writes %llu suggestions %llu lists %llu "
        "tokens, %llu throttled; at most %u a second, %u waiting, %u scoring, %u held\n",
        (double)figures->simulated_ms / 1e3, (unsigned long long)figures->events,
        (unsigned long long)figures->fingerprint, figures->calls, figures->calls_checked,
        (unsigned long long)figures->utterances, (unsigned long long)figures->scored,
        (unsigned long long)figures->alerts, (unsigned long long)figures->suggestions,
        (unsigned long long)figures->unknown, (unsigned long long)figures->writes, figures->lives,
        (unsigned long long)figures->requests[OPERATION_TRANSCRIPTS],
        (unsigned long long)figures->requests[OPERATION_ATTRIBUTES],
        (unsigned long long)figures->requests[OPERATION_SUGGESTIONS],
        (unsigned long long)figures->requests[OPERATION_LIST],
        (unsigned long long)figures->requests[OPERATION_TOKEN],
        (unsigned long long)figures->throttled, figures->rps_max, figures->waiting_max,
        figures->scoring_max, figures->held_max);
}

/* --- many ------------------------------------------------------------------------------------ */

struct worker {
    pid_t pid;
    int from; /* its figures come from here */
    uint64_t seed;
};

static void add(struct total *total, const struct figures *figures)
{
    total->events += figures->events;
    total->calls += figures->calls;
    total->checked += figures->calls_checked;
    total->utterances += figures->utterances;
    total->suggestions += figures->suggestions;
    total->unknown += figures->unknown;
    total->lives += figures->lives;
    total->hours += (double)figures->simulated_ms / 3.6e6;
}

/* A worker runs every jobs-th seed and sends the figures of each. */
static void work(const struct options *options, uint64_t first, int to)
{
    for (uint64_t seed = first; seed <= options->last; seed += options->jobs) {
        struct figures figures;
        struct {
            uint64_t seed;
            struct figures figures;
        } report = {.seed = seed};
        (void)run_seed(seed, options, &figures);
        (void)fflush(stdout);
        report.figures = figures;
        if (write(to, &report, sizeof report) != (ssize_t)sizeof report) {
            _exit(2);
        }
    }
    _exit(0);
}

static bool collect(struct worker *worker, struct total *total)
{
    struct {
        uint64_t seed;
        struct figures figures;
    } report;
    size_t have = 0;
    while (have < sizeof report) {
        ssize_t size = read(worker->from, (char *)&report + have, sizeof report - have);
        if (size <= 0) {
            return false;
        }
        have += (size_t)size;
    }
    worker->seed = report.seed;
    total->worlds++;
    total->failed += report.figures.failures > 0;
    add(total, &report.figures);
    return true;
}

static void start(struct worker *worker, const struct options *options, uint64_t first)
{
    int ends[2];
    (void)fflush(stdout);
    if (pipe(ends)) {
        exit(2);
    }
    worker->pid = fork();
    if (worker->pid == 0) {
        (void)close(ends[0]);
        work(options, first, ends[1]);
    }
    (void)close(ends[1]);
    worker->from = ends[0];
    worker->seed = first - options->jobs;
}

/* True if the worker came to its end in order; else the seed it died of is named, and it goes on
 * behind that. */
static bool bury(struct worker *worker, const struct options *options, struct total *total)
{
    int status = 0;
    (void)close(worker->from);
    (void)waitpid(worker->pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return true;
    }
    uint64_t seed = worker->seed + options->jobs;
    (void)printf("seed %llu: the simulation itself ended with %s %d; again with:\n"
                 "    undertone-simulate --seed %llu --trace\n",
                 (unsigned long long)seed, WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                 (unsigned long long)seed);
    total->worlds++;
    total->failed++;
    start(worker, options, seed + options->jobs);
    return false;
}

enum { JOBS_MAX = 64 };

static int run_seeds(const struct options *options)
{
    struct worker workers[JOBS_MAX];
    struct total total = {0};
    struct timespec begun;
    struct timespec now;
    bool done[JOBS_MAX] = {false};
    unsigned left = options->jobs;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (unsigned i = 0; i < options->jobs; i++) {
        start(&workers[i], options, options->first + i);
    }
    while (left > 0) {
        for (unsigned i = 0; i < options->jobs; i++) {
            if (!done[i] && !collect(&workers[i], &total) && bury(&workers[i], options, &total)) {
                done[i] = true;
                left--;
            }
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    double took_s =
        (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
    (void)printf(
        "seeds %llu..%llu: %llu worlds, %llu failed; %.1f h of %llu calls in %.1f s; %llu "
        "utterances, %llu lives of the daemon, %llu suggestions, %llu unknown, %llu of the "
        "calls with attributes foretold, %.1f million events\n",
        (unsigned long long)options->first, (unsigned long long)options->last,
        (unsigned long long)total.worlds, (unsigned long long)total.failed, total.hours,
        (unsigned long long)total.calls, took_s, (unsigned long long)total.utterances,
        (unsigned long long)total.lives, (unsigned long long)total.suggestions,
        (unsigned long long)total.unknown, (unsigned long long)total.checked,
        (double)total.events / 1e6);
    return total.failed > 0;
}

/* --- the command line ------------------------------------------------------------------------ */

static bool parse_number(const char *text, const char *stop, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && strncmp(end, stop, strlen(stop)) == 0 &&
           (stop[0] || *end == '\0');
}

static int misuse(const char *what)
{
    (void)fprintf(stderr, "undertone-simulate: %s; see --help\n", what);
    return 64;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},     {"seeds", required_argument, NULL, 'S'},
        {"scenario", required_argument, NULL, 'n'}, {"jobs", required_argument, NULL, 'j'},
        {"trace", no_argument, NULL, 't'},          {"plan", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},           {0}};
    int option;
    uint64_t jobs = 1;
    *options = (struct options){.first = 1, .last = 0};
    while ((option = getopt_long(argc, argv, "s:S:n:j:tph", names, NULL)) != -1) {
        const char *dots = optarg ? strstr(optarg, "..") : NULL;
        if (option == 's' && parse_number(optarg, "", &options->first)) {
            options->last = options->first;
        } else if (option == 'S' && dots && parse_number(optarg, "..", &options->first) &&
                   parse_number(dots + 2, "", &options->last)) {
            continue;
        } else if (option == 'j' && parse_number(optarg, "", &jobs) && jobs > 0 &&
                   jobs <= JOBS_MAX) {
            continue;
        } else if (option == 'n') {
            options->scenario = optarg;
        } else if (option == 't') {
            options->trace = true;
        } else if (option == 'p') {
            options->plan = true;
        } else if (option == 'h') {
            (void)fputs(help, stdout);
            exit(0);
        } else {
            return misuse("an option is wrong");
        }
    }
    options->jobs = (unsigned)jobs;
    if (!options->scenario && options->last < options->first) {
        return misuse("give --seed, --seeds or --scenario");
    }
    return optind < argc ? misuse("an argument too many") : 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct figures figures;
    int status = parse(argc, argv, &options);
    if (status || keyhash_library_init()) {
        return status ? status : 2;
    }
    world_print_trace(options.trace);
    if (options.scenario) {
        return scenarios_run(options.scenario);
    }
    if (options.first < options.last) {
        return run_seeds(&options);
    }
    bool good = run_seed(options.first, &options, &figures);
    print_figures(&figures);
    return good ? 0 : 1;
}
