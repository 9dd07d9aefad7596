#include <cjose/cjose.h>

#include "lines.h"

static const char *const library = "cjose";

static const char *version(void)
{
    return cjose_version();
}

static char *verify(const question *ask, const char **why)
{
    static cjose_err err;
    err = (cjose_err){0};
    uint8_t *plain = NULL;
    size_t length = 0;
    cjose_jwk_t *key = cjose_jwk_import(ask->jwk, strlen(ask->jwk), &err);
    cjose_jws_t *jws = key ? cjose_jws_import(ask->token, strlen(ask->token), &err) : NULL;
    if (jws && strcmp(cjose_header_get(cjose_jws_get_protected(jws), "alg", &err), ask->alg) == 0 &&
        cjose_jws_verify(jws, key, &err) && cjose_jws_get_plaintext(jws, &plain, &length, &err))
        return strndup((const char *)plain, length);
    *why = err.message ? err.message : "another algorithm";
    return NULL;
}

static char *sign(const question *ask, const char **why)
{
    static cjose_err err;
    err = (cjose_err){0};
    const char *token = NULL;
    cjose_jwk_t *key = cjose_jwk_import(ask->jwk, strlen(ask->jwk), &err);
    cjose_header_t *header = cjose_header_new(&err);
    if (key && cjose_header_set(header, "alg", ask->alg, &err) &&
        cjose_header_set(header, "kid", ask->kid, &err) &&
        cjose_header_set(header, "typ", "JWT", &err)) {
        cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)ask->claims,
                                          strlen(ask->claims), &err);
        if (jws && cjose_jws_export(jws, &token, &err))
            return strdup(token);
    }
    *why = err.message ? err.message : "it could not be signed";
    return NULL;
}
