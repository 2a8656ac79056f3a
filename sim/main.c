/* main.c - undertone-sim: options in, exit status out. Everything else is in simulator.c. */
#include "base/error.h"
#include "net/loop.h"
#include "sim/options.h"
#include "sim/simulator.h"

#include <signal.h>
#include <stdio.h>

static int run(const struct options *options, struct error *err)
{
    struct loop *loop;
    int rc = loop_create(&loop, err);
    if (rc != 0) {
        return rc;
    }
    struct simulator *simulator;
    rc = simulator_create(&simulator, loop, options, err);
    if (rc == 0) {
        simulator_announce(simulator, stdout);
        loop_run(loop);
        rc = simulator_destroy(simulator, err);
    }
    loop_destroy(loop);
    return rc;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    int rc = options_parse(&options, argc, argv, &err);
    if (rc == 0 && options.help) {
        options_print_help(stdout);
        return 0;
    }
    if (rc == 0 && options.version) {
        printf("undertone-sim %s\n", UNDERTONE_VERSION);
        return 0;
    }
    if (rc == 0) {
        rc = run(&options, &err);
    }
    if (rc != 0) {
        fprintf(stderr, "undertone-sim: %s\n", err.message);
        if (err.code == ERROR_USAGE) {
            fputs("Try undertone-sim --help.\n", stderr);
        }
    }
    return error_exit_status((enum error_code)rc);
}
