/* main.c - the program's entrance: finds the command and hands it the rest of the line. */
#include "base/keyhash.h"
#include "base/suggest.h"
#include "commands/command_line.h"
#include "commands/commands.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "undertone watches live contact-center calls and tells their agents when a customer's mood "
    "sinks.\n"
    "\n"
    "  echo 'nobody helps me' | undertone score\n"
    "  undertone config check --config undertone.yaml\n"
    "  CXONE_CLIENT_ID=id CXONE_CLIENT_SECRET=... CXONE_INTERACTION_ID=call undertone run\n"
    "  undertone replay calls.jsonl\n"
    "\n"
    "usage: undertone COMMAND [options]\n"
    "\n"
    "  run        follow live calls, judge, write back (the daemon)\n"
    "  calls      the running daemon's live calls; add or end one\n"
    "  alerts     its alerts\n"
    "  watch      its live calls, anew every second\n"
    "  score      score utterances, one a line\n"
    "  tokenize   print the model's token ids for utterances\n"
    "  replay     run recorded calls through the judgement\n"
    "  rules      check rules, or try them on recorded calls\n"
    "  redact     take card numbers, names and their kin out of texts\n"
    "  bench      measure the engine on this machine\n"
    "  model      describe, check or fetch a model\n"
    "  store      copy the database of the daemon\n"
    "  decisions  check or show the log of decisions\n"
    "  forget     erase a call from it\n"
    "  config     check or show the configuration\n"
    "\n"
    "  undertone COMMAND --help explains a command; --version prints the version.\n"
    "Documentation: docs/CONFIGURATION.md\n";

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"run", command_run},       {"score", command_score},         {"tokenize", command_tokenize},
    {"replay", command_replay}, {"bench", command_bench},         {"model", command_model},
    {"store", command_store},   {"decisions", command_decisions}, {"forget", command_forget},
    {"config", command_config}, {"rules", command_rules},         {"redact", command_redact},
    {"calls", command_calls},   {"alerts", command_alerts},       {"watch", command_watch},
};

static int fail_unknown(const char *name)
{
    struct suggest best = {0};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        suggest_offer(&best, name, commands[i].name);
    }
    (void)fprintf(stderr, "undertone: unknown command '%s'%s%s%s\nTry 'undertone --help'.\n", name,
                  best.word ? "; did you mean '" : "", best.word ? best.word : "",
                  best.word ? "'?" : "");
    return error_exit_status(ERROR_USAGE);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (keyhash_library_init() != 0) {
        (void)fprintf(stderr, "undertone: the random number generator is not available\n");
        return error_exit_status(ERROR_INTERNAL);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        (void)fputs(help, stdout);
        return command_line_finish(0);
    }
    if (strcmp(name, "--version") == 0) {
        printf("undertone %s\n", UNDERTONE_VERSION);
        return command_line_finish(0);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (argc < 2) {
        (void)fputs(help, stderr);
        return error_exit_status(ERROR_USAGE);
    }
    return fail_unknown(name);
}
