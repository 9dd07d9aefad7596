// Two Go libraries behind one line protocol; interop/adapters/__init__.py says what the lines are.

package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	golangjwt "github.com/golang-jwt/jwt"
	gojose "gopkg.in/square/go-jose.v2"
	gojosejwt "gopkg.in/square/go-jose.v2/jwt"
)

type question struct {
	Op, Library, Alg, Pem, Token, Issuer, Audience, Kid string
	Jwk                                                 json.RawMessage
	Claims                                              map[string]any
}

type answer map[string]any

type library struct {
	debian string
	verify func(question) (map[string]any, error)
	sign   func(question) (string, error)
}

var libraries = map[string]library{
	"golang-jwt": {"golang-github-golang-jwt-jwt-dev", golangJwtVerify, golangJwtSign},
	"go-jose":    {"golang-gopkg-square-go-jose.v2-dev", goJoseVerify, goJoseSign},
}

func publicKey(ask question) (any, error) {
	block, _ := pem.Decode([]byte(ask.Pem))
	return x509.ParsePKIXPublicKey(block.Bytes)
}

func golangJwtVerify(ask question) (map[string]any, error) {
	parser := golangjwt.Parser{ValidMethods: []string{ask.Alg}}
	token, err := parser.Parse(ask.Token, func(*golangjwt.Token) (any, error) { return publicKey(ask) })
	if err != nil {
		return nil, err
	}
	claims := token.Claims.(golangjwt.MapClaims)
	if !claims.VerifyIssuer(ask.Issuer, true) || !claims.VerifyAudience(ask.Audience, true) {
		return nil, errors.New("another issuer or audience")
	}
	return claims, nil
}

func golangJwtSign(ask question) (string, error) {
	block, _ := pem.Decode([]byte(ask.Pem))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	method := golangjwt.GetSigningMethod(ask.Alg)
	if method == nil {
		return "", errors.New("no signing method of that name")
	}
	token := golangjwt.NewWithClaims(method, golangjwt.MapClaims(ask.Claims))
	token.Header["kid"] = ask.Kid
	return token.SignedString(key)
}

func goJoseVerify(ask question) (map[string]any, error) {
	var key gojose.JSONWebKey
	if err := key.UnmarshalJSON(ask.Jwk); err != nil {
		return nil, err
	}
	token, err := gojosejwt.ParseSigned(ask.Token)
	if err != nil {
		return nil, err
	}
	var registered gojosejwt.Claims
	var all map[string]any
	if err := token.Claims(key.Key, &registered, &all); err != nil {
		return nil, err
	}
	expected := gojosejwt.Expected{
		Issuer: ask.Issuer, Audience: gojosejwt.Audience{ask.Audience}, Time: time.Now(),
	}
	return all, registered.Validate(expected)
}

func goJoseSign(ask question) (string, error) {
	var key gojose.JSONWebKey
	if err := key.UnmarshalJSON(ask.Jwk); err != nil {
		return "", err
	}
	key.KeyID = ask.Kid
	signing := gojose.SigningKey{Algorithm: gojose.SignatureAlgorithm(ask.Alg), Key: key}
	signer, err := gojose.NewSigner(signing, (&gojose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return gojosejwt.Signed(signer).Claims(ask.Claims).CompactSerialize()
}

// The sources know no version of their own, the system's package does.
func version(debian string) string {
	said, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", debian).Output()
	if err != nil {
		return "unknown"
	}
	return strings.Split(string(said), "-")[0]
}

func reply(ask question) (said answer) {
	defer func() {
		if fault := recover(); fault != nil {
			said = answer{"ok": false, "error": fmt.Sprint("panic: ", fault)}
		}
	}()
	if ask.Op == "about" {
		versions := map[string]string{}
		for name, each := range libraries {
			versions[name] = version(each.debian)
		}
		goVersion := strings.TrimPrefix(runtime.Version(), "go")
		return answer{"ok": true, "runtime": goVersion, "libraries": versions}
	}
	chosen := libraries[ask.Library]
	if ask.Op == "verify" {
		claims, err := chosen.verify(ask)
		if err != nil {
			return answer{"ok": false, "error": err.Error()}
		}
		return answer{"ok": true, "claims": claims}
	}
	token, err := chosen.sign(ask)
	if err != nil {
		return answer{"ok": false, "error": err.Error()}
	}
	return answer{"ok": true, "token": token}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var ask question
		if err := json.Unmarshal(lines.Bytes(), &ask); err != nil {
			panic(err)
		}
		if err := out.Encode(reply(ask)); err != nil {
			panic(err)
		}
	}
}
