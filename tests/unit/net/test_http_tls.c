/* TLS over loopback, with certificates made for this run by the openssl command. */
#include "http_fixture.h"

#include "base/lines.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct credentials {
    char directory[64];
    char ca_file[128];
    char *right_certificate; /* for 127.0.0.1 */
    char *wrong_certificate; /* for another host, by the same CA */
    char *key;
};

static struct credentials credentials;

static char *read_made_file(const char *name)
{
    char path[128];
    char *bytes = NULL;
    size_t size = 0;
    struct error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", credentials.directory, name);
    return lines_read_file(path, 65536, &bytes, &size, &err) ? NULL : bytes;
}

/* A CA, another CA nobody signed with, and one key with two certificates. */
static const char SCRIPT[] =
    "set -e; cd \"$1\"; exec >log 2>&1; "
    "ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; "
    "openssl req -x509 $ec -keyout ca.key -out ca.pem -days 2 -subj '/CN=undertone test CA'; "
    "openssl req -x509 $ec -keyout other.key -out other.pem -days 2 -subj '/CN=other CA'; "
    "openssl req $ec -keyout server.key -out server.csr -subj '/CN=server'; "
    "echo subjectAltName=IP:127.0.0.1 >right.ext; echo subjectAltName=DNS:wrong.example >wrong.ext;"
    "for host in right wrong; do openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key "
    "-set_serial $$ -days 2 -extfile $host.ext -out $host.pem; done";

/* Runs `sh -c script sh argument`; whether it succeeded. */
static bool run_script(const char *script, const char *argument)
{
    char words[4][2048];
    const char *const texts[4] = {"sh", "-c", script, "sh"};
    char last[128];
    char *argv[6] = {0};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(words[i], sizeof words[i], "%s", texts[i]);
        argv[i] = words[i];
    }
    (void)snprintf(last, sizeof last, "%s", argument);
    argv[4] = last;
    pid_t child = 0;
    int status = -1;
    return posix_spawnp(&child, "sh", NULL, NULL, argv, environ) == 0 &&
           waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int make_credentials(void **state)
{
    (void)state;
    (void)snprintf(credentials.directory, sizeof credentials.directory,
                   "/tmp/undertone-tls-XXXXXX");
    if (!mkdtemp(credentials.directory)) {
        return -1;
    }
    (void)snprintf(credentials.ca_file, sizeof credentials.ca_file, "%s/ca.pem",
                   credentials.directory);
    if (!run_script("command -v openssl >/dev/null", "")) {
        return 0; /* the tests then skip */
    }
    if (!run_script(SCRIPT, credentials.directory)) {
        return -1;
    }
    credentials.key = read_made_file("server.key");
    credentials.right_certificate = read_made_file("right.pem");
    credentials.wrong_certificate = read_made_file("wrong.pem");
    return credentials.key && credentials.right_certificate && credentials.wrong_certificate ? 0
                                                                                             : -1;
}

static int remove_credentials(void **state)
{
    (void)state;
    free(credentials.key);
    free(credentials.right_certificate);
    free(credentials.wrong_certificate);
    return run_script("rm -rf -- \"$1\"", credentials.directory) ? 0 : -1;
}

static struct fixture *tls_fixture(const char *ca_file, const char *certificate)
{
    if (!credentials.key) {
        skip(); /* no openssl command */
    }
    struct http_client_options options = fixture_client_options();
    options.ca_file = ca_file;
    struct fixture *f = fixture_create(&options);
    fixture_serve(f, handler_reply_text, certificate, credentials.key);
    return f;
}

static void expect_tls_failure(struct fixture *f)
{
    const struct http_request request = {.method = "POST", .body = "x", .body_bytes = 1};
    const struct fixture_reply *reply = fixture_exchange(f, &request, "/?token=secret");
    assert_string_equal(http_failure_name(reply->failure), "tls");
    assert_false(reply->request_sent);
    assert_int_equal(reply->status, 0);
    assert_int_equal(f->requests, 0);
    assert_true(reply->reason[0] != '\0');
    assert_null(strstr(reply->reason, "secret"));
    fixture_destroy(f);
}

static void test_server_known_by_the_extra_ca_file_is_trusted(void **state)
{
    (void)state;
    struct fixture *f = tls_fixture(credentials.ca_file, credentials.right_certificate);
    for (int i = 0; i < 40; i++) {
        (void)fixture_send(f, &(struct http_request){0}, "/");
    }
    fixture_run(f, 40);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(f->replies[i].failure, HTTP_FAILURE_NONE);
        assert_string_equal(f->replies[i].body, "hello");
    }
    fixture_destroy(f);
}

static void test_late_answer_and_large_body_pass_tls(void **state)
{
    (void)state;
    struct fixture *f = tls_fixture(credentials.ca_file, credentials.right_certificate);
    static char body[FIXTURE_BODY_BYTES_MAX];
    memset(body, 'b', sizeof body);
    f->handler = handler_hold;
    const struct http_request request = {.method = "PUT", .body = body, .body_bytes = sizeof body};
    (void)fixture_send(f, &request, "/");
    fixture_run_until_held(f, 1);
    size_t size = 0;
    const char *received = http_exchange_body(f->held[0], &size);
    assert_int_equal(size, sizeof body);
    assert_memory_equal(received, body, size);
    http_exchange_reply(f->held[0], 200, NULL, 0, body, sizeof body);
    fixture_run(f, 1);
    assert_int_equal(f->replies[0].failure, HTTP_FAILURE_NONE);
    assert_int_equal(f->replies[0].body_bytes, sizeof body);
    fixture_destroy(f);
}

static void test_unknown_ca_is_rejected(void **state)
{
    (void)state;
    expect_tls_failure(tls_fixture(NULL, credentials.right_certificate));
    char other[128];
    (void)snprintf(other, sizeof other, "%s/other.pem", credentials.directory);
    expect_tls_failure(tls_fixture(other, credentials.right_certificate));
}

static void test_wrong_host_is_rejected(void **state)
{
    (void)state;
    expect_tls_failure(tls_fixture(credentials.ca_file, credentials.wrong_certificate));
}

static void test_ca_file_is_checked_before_use(void **state)
{
    (void)state;
    struct fixture *f = fixture_create(NULL);
    struct http_client *client = NULL;
    struct error err = {0};
    struct http_client_options options = fixture_client_options();
    options.ca_file = "/nonexistent/ca.pem";
    assert_int_not_equal(http_client_create(&client, f->loop, &options, &err), 0);
    assert_non_null(strstr(err.message, "/nonexistent/ca.pem"));
    options.ca_file = "/dev/null";
    assert_int_equal(http_client_create(&client, f->loop, &options, &err), ERROR_CONFIG);
    assert_non_null(strstr(err.message, "CERTIFICATE"));
    assert_null(client);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_known_by_the_extra_ca_file_is_trusted),
        cmocka_unit_test(test_late_answer_and_large_body_pass_tls),
        cmocka_unit_test(test_unknown_ca_is_rejected),
        cmocka_unit_test(test_wrong_host_is_rejected),
        cmocka_unit_test(test_ca_file_is_checked_before_use),
    };
    return cmocka_run_group_tests(tests, make_credentials, remove_credentials);
}
