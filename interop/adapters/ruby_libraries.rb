# Two Ruby libraries behind one line protocol; `interop/adapters/__init__.py` says what the lines are.

require 'json'
require 'openssl'
require 'jwt'
require 'json/jwt'

begin
  require 'rbnacl' # what ruby-jwt asks for before it knows EdDSA
rescue LoadError
  nil
end

module RubyJwt
  VERSION = JWT::VERSION::STRING
  NOT_FROM_JWK = %w[secp256k1 Ed25519].freeze

  def self.verify(ask)
    rules = { algorithms: [ask['alg']], iss: ask['issuer'], verify_iss: true,
              aud: ask['audience'], verify_aud: true }
    if NOT_FROM_JWK.include?(ask['jwk']['crv'])
      JWT.decode(ask['token'], key(ask), true, rules).first
    else
      JWT.decode(ask['token'], nil, true, jwks: { keys: [ask['jwk']] }, **rules).first
    end
  end

  def self.sign(ask)
    JWT.encode(ask['claims'], key(ask), ask['alg'], { kid: ask['kid'], typ: 'JWT' })
  end

  # An object of OpenSSL's, or of rbnacl's for Ed25519.
  def self.key(ask)
    jwk = ask['jwk']
    return OpenSSL::PKey.read(ask['pem']) unless jwk['crv'] == 'Ed25519'

    nacl = RbNaCl::Signatures::Ed25519
    jwk['d'] ? nacl::SigningKey.new(bytes(jwk['d'])) : nacl::VerifyKey.new(bytes(jwk['x']))
  end

  def self.bytes(text)
    Base64.urlsafe_decode64(text)
  end
end

module JsonJwt
  VERSION = Gem.loaded_specs['json-jwt']&.version.to_s

  def self.verify(ask)
    JSON::JWT.decode(ask['token'], JSON::JWK.new(ask['jwk']), [ask['alg'].to_sym])
  end

  def self.sign(ask)
    token = JSON::JWT.new(ask['claims'])
    token.kid = ask['kid']
    token.sign(OpenSSL::PKey.read(ask['pem']), ask['alg'].to_sym).to_s
  end
end

LIBRARIES = { 'ruby-jwt' => RubyJwt, 'json-jwt' => JsonJwt }.freeze

def answer(ask)
  if ask['op'] == 'about'
    versions = LIBRARIES.transform_values { |library| library::VERSION }
    return { ok: true, runtime: RUBY_VERSION, libraries: versions }
  end
  library = LIBRARIES.fetch(ask['library'])
  return { ok: true, claims: library.verify(ask) } if ask['op'] == 'verify'

  { ok: true, token: library.sign(ask) }
rescue StandardError, NotImplementedError => e
  { ok: false, error: "#{e.class}: #{e.message}" }
end

$stdout.sync = true
$stdin.set_encoding('UTF-8')
$stdin.each_line { |line| puts JSON.generate(answer(JSON.parse(line))) }
