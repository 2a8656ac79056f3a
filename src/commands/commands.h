/* commands/commands.h - one function per command of the program.
 *
 * Each gets the arguments from its own name on (argv[0] is "score"), writes data to standard output
 * and messages to standard error, and returns the process's exit status (error_exit_status).
 */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

int command_run(int argc, char **argv);       /* the daemon */
int command_score(int argc, char **argv);     /* utterances in, sentiment out */
int command_tokenize(int argc, char **argv);  /* utterances in, token ids out */
int command_replay(int argc, char **argv);    /* recorded calls through the judgement */
int command_rules(int argc, char **argv);     /* check rules, or try them on recorded calls */
int command_redact(int argc, char **argv);    /* texts in, texts that may be shown out */
int command_bench(int argc, char **argv);     /* speed of the engine on this machine */
int command_model(int argc, char **argv);     /* info, check, fetch */
int command_store(int argc, char **argv);     /* copy the database */
int command_decisions(int argc, char **argv); /* check and show the log of decisions */
int command_forget(int argc, char **argv);    /* erase calls from it */
int command_calls(int argc, char **argv);     /* the running daemon's calls; add, end */
int command_alerts(int argc, char **argv);    /* its alerts */
int command_watch(int argc, char **argv);     /* its calls, again and again */
int command_config(int argc, char **argv);    /* check, show, document */

#endif
