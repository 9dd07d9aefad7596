#include <errno.h>
#include <jwt.h>

#include "lines.h"

static const char *const library = "libjwt";

static const char *version(void)
{
    return LIBRARY_VERSION; /* libjwt 1 does not say; the compiler is told by pkg-config */
}

static char *verify(const question *ask, const char **why)
{
    jwt_t *jwt;
    int failed = jwt_decode(&jwt, ask->token, (const unsigned char *)ask->pem, strlen(ask->pem));
    if (failed) {
        *why = strerror(failed);
        return NULL;
    }
    /* The key came without an algorithm: what the header says must be what we asked for. */
    const char *alg = jwt_get_header(jwt, "alg");
    if (!alg || strcmp(alg, ask->alg)) {
        *why = "another algorithm";
        return NULL;
    }
    return jwt_get_grants_json(jwt, NULL);
}

static char *sign(const question *ask, const char **why)
{
    jwt_t *jwt;
    jwt_alg_t alg = jwt_str_alg(ask->alg);
    if (alg == JWT_ALG_INVAL) {
        *why = "no algorithm of that name";
        return NULL;
    }
    int failed = jwt_new(&jwt);
    failed = failed || jwt_add_grants_json(jwt, ask->claims);
    failed = failed || jwt_add_header(jwt, "kid", ask->kid);
    failed = failed || jwt_set_alg(jwt, alg, (const unsigned char *)ask->pem, strlen(ask->pem));
    char *token = failed ? NULL : jwt_encode_str(jwt);
    if (!token)
        *why = errno ? strerror(errno) : "it could not be signed";
    return token;
}
