/* tls.c - see tls.h; the only file of the simulator that knows OpenSSL. It makes test material:
 * no revocation, no renewal, no password on the key. */
#include "sim/tls.h"

#include "base/keyhash.h"
#include "base/lines.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, PEM_BYTES_MAX = 1 << 20, SERIAL_BITS = 127 };

static const long LIFE_S = 2L * 365 * 24 * 3600;
static const long BACKDATED_S = 3600; /* for peers whose clock is a little behind */

static int library_failure(const char *doing, struct error *err)
{
    char reason[160];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    return error_set(err, ERROR_INTERNAL, "%s failed: %s", doing, reason);
}

static int join(char out[PATH_BYTES], const char *directory, const char *file, struct error *err)
{
    int length = snprintf(out, PATH_BYTES, "%s/%s", directory, file);
    if (length < 0 || length >= PATH_BYTES) {
        return error_set(err, ERROR_LIMIT, "the TLS directory's name is too long");
    }
    return 0;
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool set_random_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool ok = number != NULL &&
              BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return ok;
}

/* An unsigned certificate without extensions. NULL on failure. */
static X509 *new_certificate(const char *name, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (certificate == NULL) {
        return NULL;
    }
    X509_NAME *subject = X509_get_subject_name(certificate);
    bool ok = X509_set_version(certificate, X509_VERSION_3) == 1 &&
              set_random_serial(certificate) &&
              X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATED_S) != NULL &&
              X509_gmtime_adj(X509_getm_notAfter(certificate), LIFE_S) != NULL &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                                         -1, -1, 0) == 1 &&
              X509_set_pubkey(certificate, key) == 1;
    if (!ok) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static X509 *make_authority(EVP_PKEY *key)
{
    X509 *ca = new_certificate("undertone-sim test authority", key);
    if (ca == NULL) {
        return NULL;
    }
    bool ok = X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
              add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
              X509_sign(ca, key, EVP_sha256()) > 0;
    if (!ok) {
        X509_free(ca);
        return NULL;
    }
    return ca;
}

static X509 *make_leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
    X509 *leaf = new_certificate("localhost", key);
    if (leaf == NULL) {
        return NULL;
    }
    bool ok = X509_set_issuer_name(leaf, X509_get_subject_name(ca)) == 1 &&
              add_extension(leaf, ca, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(leaf, ca, NID_key_usage, "critical,digitalSignature") &&
              add_extension(leaf, ca, NID_ext_key_usage, "serverAuth") &&
              add_extension(leaf, ca, NID_subject_alt_name,
                            "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1") &&
              add_extension(leaf, ca, NID_subject_key_identifier, "hash") &&
              add_extension(leaf, ca, NID_authority_key_identifier, "keyid:always") &&
              X509_sign(leaf, ca_key, EVP_sha256()) > 0;
    if (!ok) {
        X509_free(leaf);
        return NULL;
    }
    return leaf;
}

/* Writes a certificate, or a key if `certificate` is NULL. Never over an existing file. */
static int write_pem(const char *directory, const char *file, X509 *certificate, EVP_PKEY *key,
                     struct error *err)
{
    char path[PATH_BYTES];
    int rc = join(path, directory, file, err);
    if (rc != 0) {
        return rc;
    }
    mode_t mode = certificate == NULL ? 0600 : 0644;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (out == NULL) {
        rc = error_set(err, ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return rc;
    }
    int written = certificate != NULL
                      ? PEM_write_X509(out, certificate)
                      : PEM_write_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    if (fclose(out) != 0 || written != 1) {
        return error_set(err, ERROR_IO, "%s could not be written whole", path);
    }
    return 0;
}

static int make_material(const char *directory, struct error *err)
{
    int rc = 0;
    X509 *ca = NULL;
    X509 *leaf = NULL;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (ca_key != NULL && key != NULL) {
        ca = make_authority(ca_key);
        leaf = ca == NULL ? NULL : make_leaf(key, ca, ca_key);
    }
    if (leaf == NULL) {
        rc = library_failure("making the TLS certificate", err);
        goto out;
    }
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        rc = error_set(err, ERROR_IO, "the TLS directory %s cannot be made: %s", directory,
                       strerror(errno));
        goto out;
    }
    rc = write_pem(directory, "ca.pem", ca, NULL, err);
    if (rc == 0) {
        rc = write_pem(directory, "cert.pem", leaf, NULL, err);
    }
    if (rc == 0) {
        rc = write_pem(directory, "key.pem", NULL, key, err);
    }
out:
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return rc;
}

static int check_certificate(const char *pem, size_t size, const char *path, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    int rc = 0;
    if (certificate == NULL) {
        ERR_clear_error();
        rc = error_set(err, ERROR_FORMAT, "%s is not a PEM certificate", path);
    } else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        rc = error_set(err, ERROR_CONFIG,
                       "%s has expired: remove ca.pem, cert.pem and key.pem to have new ones made",
                       path);
    }
    X509_free(certificate);
    BIO_free(bio);
    return rc;
}

static bool exists(const char *directory, const char *file)
{
    char path[PATH_BYTES];
    return join(path, directory, file, NULL) == 0 && access(path, F_OK) == 0;
}

static int read_pem(const char *directory, const char *file, char **pem, size_t *size,
                    char path[PATH_BYTES], struct error *err)
{
    int rc = join(path, directory, file, err);
    return rc != 0 ? rc : lines_read_file(path, PEM_BYTES_MAX, pem, size, err);
}

int tls_load(struct tls_material *material, const char *directory, struct error *err)
{
    *material = (struct tls_material){0};
    int rc = 0;
    if (!exists(directory, "ca.pem") && !exists(directory, "cert.pem") &&
        !exists(directory, "key.pem")) {
        rc = make_material(directory, err);
    }
    char path[PATH_BYTES];
    size_t size;
    if (rc == 0) {
        rc = read_pem(directory, "key.pem", &material->key_pem, &size, path, err);
    }
    if (rc == 0) {
        rc = read_pem(directory, "cert.pem", &material->certificate_pem, &size, path, err);
    }
    if (rc == 0) {
        rc = check_certificate(material->certificate_pem, size, path, err);
    }
    if (rc != 0) {
        tls_done(material);
        error_wrap(err, "TLS");
    }
    return rc;
}

void tls_done(struct tls_material *material)
{
    if (material->key_pem != NULL) {
        keyhash_wipe(material->key_pem, strlen(material->key_pem));
    }
    free(material->key_pem);
    free(material->certificate_pem);
    *material = (struct tls_material){0};
}
