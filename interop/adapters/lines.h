/* The line protocol for C, one library to a program; `interop/adapters/__init__.py` says what the
 * lines are. A program defines these three: the answers of verify() and sign() are the claims, as
 * JSON text, and the token; NULL is a refusal, with *why set. What is allocated is never freed: the
 * program answers some dozens of lines and ends. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *alg, *pem, *token, *issuer, *audience, *kid;
    char *jwk, *claims; /* JSON text */
} question;

static const char *const library;
static const char *version(void);
static char *verify(const question *ask, const char **why);
static char *sign(const question *ask, const char **why);

static char *json_text(json_t *object, const char *name)
{
    return json_dumps(json_object_get(object, name), JSON_COMPACT | JSON_ENCODE_ANY);
}

static json_t *answer(json_t *object)
{
    const char *op = json_string_value(json_object_get(object, "op"));
    if (!strcmp(op, "about"))
        return json_pack("{s:b, s:s, s:{s:s}}", "ok", 1, "runtime", __VERSION__, "libraries",
                         library, version());
    question ask = {
        .alg = json_string_value(json_object_get(object, "alg")),
        .pem = json_string_value(json_object_get(object, "pem")),
        .token = json_string_value(json_object_get(object, "token")),
        .issuer = json_string_value(json_object_get(object, "issuer")),
        .audience = json_string_value(json_object_get(object, "audience")),
        .kid = json_string_value(json_object_get(object, "kid")),
        .jwk = json_text(object, "jwk"),
        .claims = json_text(object, "claims"),
    };
    const char *why = "refused";
    if (!strcmp(op, "verify")) {
        char *claims = verify(&ask, &why);
        if (claims)
            return json_pack("{s:b, s:o}", "ok", 1, "claims", json_loads(claims, 0, NULL));
    } else {
        char *token = sign(&ask, &why);
        if (token)
            return json_pack("{s:b, s:s}", "ok", 1, "token", token);
    }
    return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        puts(json_dumps(answer(json_loads(line, 0, NULL)), JSON_COMPACT));
        fflush(stdout);
    }
    return 0;
}
