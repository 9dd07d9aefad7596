#include <rhonabwy.h>

#include "lines.h"

static const char *const library = "rhonabwy";

static const char *version(void)
{
    return RHONABWY_VERSION_STR;
}

static const char *reason(int code)
{
    switch (code) {
    case RHN_ERROR_UNSUPPORTED:
        return "unsupported";
    case RHN_ERROR_PARAM:
        return "wrong parameter";
    case RHN_ERROR_INVALID:
        return "invalid";
    default:
        return "error";
    }
}

static char *verify(const question *ask, const char **why)
{
    jwt_t *jwt;
    jwk_t *key;
    r_jwt_init(&jwt);
    r_jwk_init(&key);
    int code = r_jwk_import_from_json_str(key, ask->jwk);
    if (code == RHN_OK)
        code = r_jwt_parse(jwt, ask->token, 0);
    if (code == RHN_OK)
        code = r_jwt_verify_signature(jwt, key, 0);
    if (code == RHN_OK && r_jwt_get_sign_alg(jwt) != r_str_to_jwa_alg(ask->alg))
        code = RHN_ERROR_INVALID;
    if (code == RHN_OK)
        code = r_jwt_validate_claims(jwt, R_JWT_CLAIM_ISS, ask->issuer, R_JWT_CLAIM_AUD,
                                     ask->audience, R_JWT_CLAIM_EXP, R_JWT_CLAIM_NOW,
                                     R_JWT_CLAIM_NBF, R_JWT_CLAIM_NOW, R_JWT_CLAIM_NOP);
    if (code == RHN_OK)
        return r_jwt_get_full_claims_str(jwt);
    *why = reason(code);
    return NULL;
}

static char *sign(const question *ask, const char **why)
{
    jwt_t *jwt;
    jwk_t *key;
    r_jwt_init(&jwt);
    r_jwk_init(&key);
    jwa_alg alg = r_str_to_jwa_alg(ask->alg);
    if (alg == R_JWA_ALG_UNKNOWN) {
        *why = "no algorithm of that name";
        return NULL;
    }
    int code = r_jwk_import_from_json_str(key, ask->jwk);
    if (code == RHN_OK)
        code = r_jwt_set_full_claims_json_str(jwt, ask->claims);
    if (code == RHN_OK)
        code = r_jwt_set_header_str_value(jwt, "kid", ask->kid);
    if (code == RHN_OK)
        code = r_jwt_set_sign_alg(jwt, alg);
    char *token = code == RHN_OK ? r_jwt_serialize_signed(jwt, key, 0) : NULL;
    if (!token)
        *why = code == RHN_OK ? "it could not be signed" : reason(code);
    return token;
}
