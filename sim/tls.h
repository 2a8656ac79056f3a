/* tls.h - a certificate for localhost and the authority that signed it, made once in a directory.
 *
 * The authority's key is thrown away after signing, so trusting ca.pem trusts this one certificate
 * and nothing that could be made later.
 */
#ifndef SIM_TLS_H
#define SIM_TLS_H

#include "base/error.h"

struct tls_material {
    char *certificate_pem; /* owned */
    char *key_pem;         /* owned; wiped when freed */
};

/* Loads cert.pem and key.pem from the directory. If neither they nor ca.pem exist, makes all three
 * first (and the directory): a P-256 certificate for localhost, 127.0.0.1 and ::1, valid for two
 * years, key.pem readable by its owner only. A certificate that has expired is an error. On
 * success the caller must tls_done. */
int tls_load(struct tls_material *material, const char *directory, struct error *err);

/* Accepts a zeroed material. */
void tls_done(struct tls_material *material);

#endif
