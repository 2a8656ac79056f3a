/* command_model.c - undertone model info | check | pack | fetch: what a model is, whether it is
 * usable, its packed form for fast starts, and where to get it. Only fetch asks a network. */
#include "base/keyhash.h"
#include "base/lines.h"
#include "commands/command_line.h"
#include "commands/commands.h"
#include "model/fetch.h"
#include "model/model_cache.h"
#include "model/model_info.h"
#include "model/model_path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "  undertone model info\n"
    "  undertone model check ./my-checkpoint\n"
    "  undertone model pack --precision int8 ./my-checkpoint\n"
    "  undertone model fetch cardiffnlp/twitter-roberta-base-sentiment-latest\n"
    "\n"
    "usage: undertone model info|check|pack|fetch [options] [DIR|NAME]\n"
    "\n"
    "  info     family, sizes, labels, precision, memory, tokenizer, files with their hashes\n"
    "  check    whether it is usable; says what is wrong and how to mend it (exit status 78)\n"
    "  pack     keeps weights and tokenizer in a file that starts map as it is; the daemon does\n"
    "           so by itself (model.cache)\n"
    "  fetch    from a hub into the standard cache (HF_HOME, HF_HUB_CACHE); an interrupted one is\n"
    "           resumed. HF_ENDPOINT is another hub, HF_TOKEN opens models that are not public\n"
    "\n"
    "      --precision P  with info, check and pack: fp32 (default), int8 or bf16\n"
    "      --cache DIR    with pack: where the file goes (default: as model.cache auto)\n"
    "      --revision R   with fetch: a branch, tag or commit instead of main\n"
    "  -j, --json         with info: one JSON object\n"
    "  -q, --quiet        with fetch: only the folder, on standard output\n"
    "  -h, --help         this text\n";

enum { TEXT_BYTES_MAX = 1 << 20, TOKEN_BYTES_MAX = 4096 };

struct model_options {
    const char *model;
    const char *revision;
    const char *cache;
    struct scorer_options scorer;
    bool json;
    bool quiet;
};

static int print(const struct buf *text)
{
    (void)fwrite(buf_string(text), 1, text->size, stdout);
    return command_line_finish(0);
}

static int run_info(const struct model_options *options)
{
    struct error err;
    struct buf path;
    struct buf text;
    buf_init(&path, PATH_MAX);
    buf_init(&text, TEXT_BYTES_MAX);
    int code = model_path_find(options->model, &path, &err);
    code =
        code ? code
             : model_info_describe(buf_string(&path), &options->scorer, options->json, &text, &err);
    int status = code ? command_line_fail(&err) : print(&text);
    buf_done(&text);
    buf_done(&path);
    return status;
}

static int run_check(const struct model_options *options)
{
    struct error err;
    struct buf path;
    struct buf text;
    buf_init(&path, PATH_MAX);
    buf_init(&text, TEXT_BYTES_MAX);
    int code = model_path_find(options->model, &path, &err);
    code = code ? code : model_info_check(buf_string(&path), &options->scorer, &text, &err);
    int status = print(&text); /* what went well comes first */
    status = code ? command_line_fail(&err) : status;
    buf_done(&text);
    buf_done(&path);
    return status;
}

static int pack(const struct model_options *options, struct buf *file, struct error *err)
{
    struct scorer *scorer = NULL;
    struct buf path;
    buf_init(&path, PATH_MAX);
    int code = model_path_find(options->model, &path, err);
    if (code != 0) {
        goto out;
    }
    const char *directory = buf_string(&path);
    model_cache_path(options->cache, directory, options->scorer.precision, file);
    if (file->size == 0) {
        code = error_set(err, ERROR_USAGE,
                         "there is no folder for packed models; name one with "
                         "--cache");
        goto out;
    }
    code = scorer_open(&scorer, directory, &options->scorer, err);
    code = code ? code : model_cache_write(scorer, directory, buf_string(file), err);
out:
    scorer_close(scorer);
    buf_done(&path);
    return code;
}

static int run_pack(const struct model_options *options)
{
    struct error err;
    struct buf file;
    buf_init(&file, 2 * PATH_MAX);
    int status = pack(options, &file, &err) ? command_line_fail(&err) : 0;
    if (status == 0) {
        printf("%s\n", buf_string(&file));
        status = command_line_finish(0);
    }
    buf_done(&file);
    return status;
}

/* HF_TOKEN, or the file that the hub's own tools leave after a login. */
static void read_token(struct buf *token)
{
    static const char *const homes[][2] = {
        {"HF_TOKEN_PATH", ""}, {"HF_HOME", "/token"}, {"HOME", "/.cache/huggingface/token"}};
    const char *value = getenv("HF_TOKEN");
    if (value && *value) {
        buf_append_string(token, value);
        return;
    }
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
        char path[PATH_MAX];
        char *text = NULL;
        size_t size = 0;
        struct error ignored;
        const char *home = getenv(homes[i][0]);
        if (home && *home && snprintf(path, sizeof path, "%s%s", home, homes[i][1]) < PATH_MAX) {
            if (lines_read_file(path, TOKEN_BYTES_MAX, &text, &size, &ignored) == 0) {
                buf_append(token, text, strcspn(text, "\r\n"));
                keyhash_wipe(text, size);
                free(text);
            }
            return; /* the first place that is named is the only one */
        }
    }
}

static int fetch(const struct model_options *options, const struct hub_cache_name *name,
                 struct buf *folder, struct error *err)
{
    struct buf token;
    const char *endpoint = getenv("HF_ENDPOINT");
    buf_init(&token, TOKEN_BYTES_MAX);
    read_token(&token);
    const struct fetch_options fetching = {
        .name = *name,
        .endpoint = endpoint && *endpoint ? endpoint : "https://huggingface.co",
        .token = token.size > 0 ? buf_string(&token) : NULL,
        .quiet = options->quiet,
    };
    int code = fetch_model(&fetching, folder, err);
    if (token.size > 0) {
        keyhash_wipe(token.bytes, token.size);
    }
    buf_done(&token);
    return code;
}

static int run_fetch(const struct model_options *options)
{
    struct hub_cache_name name;
    struct error err;
    struct buf folder;
    if (!options->model || !hub_cache_parse_name(options->model, &name)) {
        return command_line_misuse("model", "fetch takes a model's name, such as "
                                            "cardiffnlp/twitter-roberta-base-sentiment-latest");
    }
    if (options->revision) {
        char full[sizeof name.repository + sizeof name.revision + 1];
        if (snprintf(full, sizeof full, "%s@%s", name.repository, options->revision) >=
                (int)sizeof full ||
            !hub_cache_parse_name(full, &name)) {
            return command_line_misuse("model", "--revision takes a branch, tag or commit");
        }
    }
    buf_init(&folder, PATH_MAX);
    int code = fetch(options, &name, &folder, &err);
    int status = code ? command_line_fail(&err) : 0;
    if (code == 0) {
        printf("%s\n", buf_string(&folder));
        status = command_line_finish(0);
    }
    buf_done(&folder);
    return status;
}

enum {
    OPTION_REVISION = COMMAND_LINE_LONG_ONLY,
    OPTION_PRECISION,
    OPTION_CACHE,
};

static int run_action(const char *action, const struct model_options *options)
{
    static const struct {
        const char *name;
        int (*run)(const struct model_options *options);
    } actions[] = {
        {"info", run_info}, {"check", run_check}, {"pack", run_pack}, {"fetch", run_fetch}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(action, actions[i].name) == 0) {
            return actions[i].run(options);
        }
    }
    return command_line_misuse("model", "say what to do: info, check, pack or fetch");
}

int command_model(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"revision", required_argument, NULL, OPTION_REVISION},
        {"precision", required_argument, NULL, OPTION_PRECISION},
        {"cache", required_argument, NULL, OPTION_CACHE},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct model_options options = {0};
    int option;
    while ((option = command_line_option(argc, argv, "jqh", long_options)) != -1) {
        switch (option) {
        case 'j':
            options.json = true;
            break;
        case 'q':
            options.quiet = true;
            break;
        case OPTION_REVISION:
            options.revision = optarg;
            break;
        case OPTION_PRECISION:
            if (!command_line_precision("model", optarg, &options.scorer.precision)) {
                return error_exit_status(ERROR_USAGE);
            }
            break;
        case OPTION_CACHE:
            options.cache = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return command_line_finish(0);
        default:
            return error_exit_status(ERROR_USAGE);
        }
    }
    const char *action = optind < argc ? argv[optind] : "";
    options.model = argc - optind == 2 ? argv[optind + 1] : NULL;
    if (argc - optind > 2) {
        return command_line_misuse("model", "unexpected argument '%s'", argv[optind + 2]);
    }
    return run_action(action, &options);
}
