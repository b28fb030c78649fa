/* A context's settings as a configuration of adder/tls.h, and the sessions it can come back to. */
#include <string.h>

#include "python/modules/ssl.h"

static adder_err_t random_bytes(void *ctx, uint8_t *out, size_t len)
{
    const ssl_config_t *config = ctx;
    return config->mcu->sys->random(config->mcu->ctx, out, len);
}

static int64_t now_s(void *ctx)
{
    const ssl_config_t *config = ctx;
    return config->mcu->sys->rtc_get(config->mcu->ctx);
}

/* ---- making ---- */

static bool refused(adder_err_t err, const adder_tls_why_t *why)
{
    if (err == ADDER_OK)
        return true;
    return py_fail(err == ADDER_ERR_NOMEM
                       ? py_raise(PY_MemoryError, "memory allocation failed")
                       : py_raise(PY_ValueError, "%s",
                                  *why != ADDER_TLS_WHY_NONE ? adder_tls_why_str(*why) : adder_err_str(err)));
}

/* Certificate and key, copied: the fields may change while sockets use them. */
static bool read_identity(ssl_config_t *config, const ssl_context_t *context)
{
    py_buf_t chain, key;
    const char *password = NULL;
    py_t p = py_field_get(&context->password);
    adder_tls_why_t why;
    if (!py_buffer_read(py_field_get(&context->chain), &chain) ||
        !py_buffer_read(py_field_get(&context->key), &key) ||
        (!py_null(p) && !py_to_str(p, &password, NULL)) || (config->chain = py_alloc(chain.len + 1)) == NULL)
        return false;
    if (chain.len > 0)
        memcpy(config->chain, chain.ptr, chain.len);
    config->chain_len = chain.len;
    const adder_identity_software_options_t o = {config->chain, config->chain_len, key.ptr, key.len,
                                                 password,      random_bytes,      config};
    return refused(adder_identity_software_init(&config->key, &config->identity, &o, &why), &why);
}

static bool read_alpn(ssl_config_t *config, const ssl_context_t *context)
{
    py_t list = py_field_get(&context->alpn);
    size_t n = 0;
    if (!py_null(list) && !py_len(list, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text;
        size_t len;
        if (!py_to_str(py_item_at(list, i), &text, &len))
            return false;
        memcpy(config->alpn_text[i], text, len + 1); /* checked when it was set */
        config->alpn[i] = config->alpn_text[i];
    }
    return true;
}

static void take_root(void *ctx, const uint8_t *bytes, size_t len)
{
    ADDER_IGNORE(adder_tls_config_add_ca(ctx, bytes, len, NULL, NULL, NULL),
                 "what is not understood is not trusted");
}

static bool read_trust(ssl_config_t *config, const ssl_context_t *context, adder_tls_role_t role)
{
    py_t data = py_field_get(&context->cadata);
    py_buf_t buf;
    adder_tls_why_t why;
    if (context->no_verify)
        return true;
    if (!py_null(data))
        return py_buffer_read(data, &buf) &&
               refused(adder_tls_config_add_ca(&config->tls, buf.ptr, buf.len, NULL, NULL, &why), &why);
    if (role == ADDER_TLS_CLIENT && config->mcu->roots != NULL)
        config->mcu->roots(config->mcu->ctx, take_root, &config->tls);
    return true;
}

static bool fill(ssl_config_t *config, const ssl_context_t *context, adder_tls_role_t role)
{
    const bool own_ca = !py_null(py_field_get(&context->cadata));
    const bool identity = !py_null(py_field_get(&context->chain));
    adder_tls_options_t o = {.role = role,
                             .any_host = !context->check_hostname,
                             .random = random_bytes,
                             .random_ctx = config,
                             .now_s = now_s,
                             .now_ctx = config,
                             .clock = ADDER_TLS_CLOCK_FLOOR};
    adder_tls_why_t why;
    if ((identity && !read_identity(config, context)) || !read_alpn(config, context))
        return false;
    /* A server asks for certificates only of a named authority: nobody means the public ones. */
    o.verify = context->no_verify                    ? ADDER_TLS_VERIFY_NONE
               : role == ADDER_TLS_SERVER && !own_ca ? ADDER_TLS_VERIFY_NONE
                                                     : ADDER_TLS_VERIFY_REQUIRED;
    o.identity = identity ? &config->identity : NULL;
    o.alpn = config->alpn[0] != NULL ? config->alpn : NULL;
    if (role == ADDER_TLS_SERVER && !identity)
        return py_fail(py_raise(PY_ValueError, "a server needs a certificate: load_cert_chain()"));
    return refused(adder_tls_config_init(&config->tls, &o, &why), &why) && read_trust(config, context, role);
}

ssl_config_t *ssl_config_take(ssl_context_t *context, adder_tls_role_t role)
{
    ssl_config_t *config = context->configs[role];
    if (config == NULL) {
        if ((config = py_alloc(sizeof *config)) == NULL)
            return NULL;
        config->mcu = py_mcu();
        config->refs = 1;
        if (!fill(config, context, role)) {
            ssl_config_drop(config);
            return NULL;
        }
        context->configs[role] = config;
    }
    config->refs++;
    return config;
}

void ssl_config_drop(ssl_config_t *config)
{
    if (config == NULL || --config->refs > 0)
        return;
    adder_tls_config_deinit(&config->tls);
    adder_identity_software_deinit(&config->key);
    py_free(config->chain);
    volatile uint8_t *secrets = (volatile uint8_t *)config->kept; /* what is let go is still written */
    for (size_t i = 0; i < sizeof config->kept; i++)
        secrets[i] = 0;
    py_free(config);
}

void ssl_config_forget(ssl_context_t *context)
{
    for (int i = 0; i < 2; i++) {
        ssl_config_drop(context->configs[i]);
        context->configs[i] = NULL;
    }
}

/* ---- coming back ---- */

void ssl_config_offer(ssl_config_t *config, adder_tls_t *t, const char *host)
{
    for (unsigned i = 0; i < SSL_KEPT; i++) {
        if (config->kept[i].len > 0 && strcmp(config->kept[i].host, host) == 0)
            ADDER_IGNORE(adder_tls_session_load(t, config->kept[i].bytes, config->kept[i].len),
                         "a full handshake then");
    }
}

void ssl_config_keep(ssl_config_t *config, adder_tls_t *t, const char *host)
{
    unsigned i = 0;
    while (i < SSL_KEPT && (config->kept[i].len == 0 || strcmp(config->kept[i].host, host) != 0))
        i++;
    if (i == SSL_KEPT)
        i = config->next++ % SSL_KEPT;
    size_t n;
    config->kept[i].len = 0;
    if (adder_tls_session_save(t, config->kept[i].bytes, sizeof config->kept[i].bytes, &n) != ADDER_OK)
        return;
    memcpy(config->kept[i].host, host, strlen(host) + 1);
    config->kept[i].len = n;
}
