/* Certificates made once, judged by OpenSSL itself. */
#include "sim/tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char directory[64];
static char inner[80];

static char *inside(const char *file)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", inner, file);
    return path;
}

static X509 *read_certificate(const char *file)
{
    FILE *in = fopen(inside(file), "r");
    assert_non_null(in);
    X509 *certificate = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(certificate);
    return certificate;
}

static void the_certificate_is_good_for_localhost_only(void **unused)
{
    (void)unused;
    struct tls_material material;
    assert_int_equal(tls_load(&material, inner, NULL), 0);
    X509 *ca = read_certificate("ca.pem");
    X509 *leaf = read_certificate("cert.pem");
    X509_STORE *store = X509_STORE_new();
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    assert_int_equal(X509_verify_cert(context), 1);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    assert_int_equal(X509_check_host(leaf, "example.org", 0, 0, NULL), 0);
    BIO *bio = BIO_new_mem_buf(material.key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    assert_int_equal(X509_check_private_key(leaf, key), 1);
    EVP_PKEY_free(key);
    BIO_free(bio);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(ca);
    tls_done(&material);
}

static void the_key_is_its_owners_alone(void **unused)
{
    (void)unused;
    struct stat status;
    assert_int_equal(stat(inside("key.pem"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void existing_material_is_used(void **unused)
{
    (void)unused;
    struct tls_material first;
    struct tls_material second;
    assert_int_equal(tls_load(&first, inner, NULL), 0);
    assert_int_equal(tls_load(&second, inner, NULL), 0);
    assert_string_equal(first.key_pem, second.key_pem);
    assert_string_equal(first.certificate_pem, second.certificate_pem);
    tls_done(&first);
    tls_done(&second);
}

static void incomplete_material_is_an_error_not_replaced(void **unused)
{
    (void)unused;
    assert_int_equal(unlink(inside("key.pem")), 0);
    struct tls_material material;
    struct error err = {0};
    assert_int_not_equal(tls_load(&material, inner, &err), 0);
    assert_non_null(strstr(err.message, "key.pem"));
    assert_null(material.certificate_pem);
    assert_int_not_equal(access(inside("key.pem"), F_OK), 0);
}

static int set_up(void **unused)
{
    (void)unused;
    snprintf(directory, sizeof directory, "/tmp/undertone-test-tls-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(inner, sizeof inner, "%s/new", directory);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    unlink(inside("ca.pem"));
    unlink(inside("cert.pem"));
    unlink(inside("key.pem"));
    rmdir(inner);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_is_good_for_localhost_only),
        cmocka_unit_test(the_key_is_its_owners_alone),
        cmocka_unit_test(existing_material_is_used),
        cmocka_unit_test(incomplete_material_is_an_error_not_replaced),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
