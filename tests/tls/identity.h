/* A server of TLS whose certificate signs itself: for tests of what a chip's own TLS trusts. */
#ifndef TESTS_TLS_IDENTITY_H
#define TESTS_TLS_IDENTITY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_pk_context key;
    mbedtls_x509_crt cert; /* for tls.test */
    unsigned char pem[2048], key_pem[1024];
    char path[40]; /* of a file with pem, to trust */
} identity_t;

/* 0, or not made. */
static inline int identity_make(identity_t *id)
{
    mbedtls_x509write_cert w;
    mbedtls_mpi serial;
    mbedtls_entropy_init(&id->entropy);
    mbedtls_ctr_drbg_init(&id->drbg);
    mbedtls_pk_init(&id->key);
    mbedtls_x509_crt_init(&id->cert);
    mbedtls_x509write_crt_init(&w);
    mbedtls_mpi_init(&serial);
    int err = mbedtls_ctr_drbg_seed(&id->drbg, mbedtls_entropy_func, &id->entropy, NULL, 0);
    err |= mbedtls_pk_setup(&id->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    err |= mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(id->key), mbedtls_ctr_drbg_random,
                               &id->drbg);
    err |= mbedtls_mpi_lset(&serial, 1);
    mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, &id->key);
    mbedtls_x509write_crt_set_issuer_key(&w, &id->key);
    err |= mbedtls_x509write_crt_set_serial(&w, &serial);
    err |= mbedtls_x509write_crt_set_subject_name(&w, "CN=tls.test");
    err |= mbedtls_x509write_crt_set_issuer_name(&w, "CN=tls.test");
    err |= mbedtls_x509write_crt_set_validity(&w, "20200101000000", "20991231235959");
    err |= mbedtls_x509write_crt_set_basic_constraints(&w, 1, -1);
    err |= mbedtls_x509write_crt_pem(&w, id->pem, sizeof id->pem, mbedtls_ctr_drbg_random, &id->drbg);
    err |= mbedtls_pk_write_key_pem(&id->key, id->key_pem, sizeof id->key_pem);
    err |= mbedtls_x509_crt_parse(&id->cert, id->pem, strlen((char *)id->pem) + 1);
    mbedtls_x509write_crt_free(&w);
    mbedtls_mpi_free(&serial);
    strcpy(id->path, "/tmp/adder_identity_XXXXXX");
    const int fd = mkstemp(id->path);
    err |= write(fd, id->pem, strlen((char *)id->pem)) <= 0;
    (void)close(fd);
    return err;
}

static inline void identity_drop(identity_t *id)
{
    (void)unlink(id->path);
    mbedtls_x509_crt_free(&id->cert);
    mbedtls_pk_free(&id->key);
    mbedtls_ctr_drbg_free(&id->drbg);
    mbedtls_entropy_free(&id->entropy);
}

/* Echoes one connection to its end, and closes it. `wants_certificate`: the client's, by the same hand. */
static inline void identity_echo(identity_t *id, int fd, bool wants_certificate)
{
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_config_init(&conf);
    mbedtls_net_context net = {fd};
    int err = mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                          MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &id->drbg);
    err |= mbedtls_ssl_conf_own_cert(&conf, &id->cert, &id->key);
    if (wants_certificate) {
        mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&conf, &id->cert, NULL);
    }
    err |= mbedtls_ssl_setup(&ssl, &conf);
    mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    unsigned char buf[2048];
    while (err == 0) {
        const int got = mbedtls_ssl_read(&ssl, buf, sizeof buf); /* shakes hands first */
        for (int at = 0, n; err == 0 && at < got; at += n) {
            n = mbedtls_ssl_write(&ssl, buf + at, (size_t)(got - at));
            err = n <= 0;
        }
        err |= got <= 0;
    }
    mbedtls_net_free(&net);
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&conf);
}

#endif
