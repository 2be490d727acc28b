// Settings, certificate and verification callback. Names, dates and chains mean nothing here: only the key counts.
#include "wire/detail/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509.h>

namespace parley::wire::detail {
namespace {

constexpr const char* kCipherSuites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
constexpr long kMaxCertificateBytes = 4096;                    // ours has some 200
constexpr long kCertificateLifeSeconds = 400L * 24 * 60 * 60;  // nobody looks at it
constexpr std::size_t kReadBufferBytes = 128 * 1024;           // several TLS records for one recv(2)

using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePointer = std::unique_ptr<X509, decltype(&X509_free)>;

CertificatePointer make_certificate(EVP_PKEY* key) {
  CertificatePointer certificate(X509_new(), X509_free);
  if (!certificate) return certificate;
  X509* x509 = certificate.get();
  X509_NAME* name = X509_get_subject_name(x509);
  const auto* common_name = reinterpret_cast<const unsigned char*>("parley");
  const bool made =
      X509_set_version(x509, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x509), 0) != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(x509), kCertificateLifeSeconds) != nullptr &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
      X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, nullptr) > 0;
  if (!made) certificate.reset();
  return certificate;
}

Status judge_certificate(const X509* certificate, const JudgeKey& judge) {
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  ByteArray<32> raw{};
  std::size_t size = raw.size();
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, as_uchar_mutable(raw), &size) != 1 || size != raw.size()) {
    return fail(Errc::peer_unknown, "Refused: its certificate holds no Ed25519 key, so it is no member's node.");
  }
  return judge(raw);
}

int verify(X509_STORE_CTX* store, void* argument) {
  auto& record = *static_cast<HandshakeRecord*>(argument);
  record.certificate_seen = true;
  record.verdict = judge_certificate(X509_STORE_CTX_get0_cert(store), record.judge);
  X509_STORE_CTX_set_error(store, record.verdict ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return record.verdict ? 1 : 0;
}

/// Notes which version a client offers, before OpenSSL judges it.
int look_at_client_hello(SSL* ssl, int*, void* argument) {
  auto& record = *static_cast<HandshakeRecord*>(argument);
  record.best_version = static_cast<std::uint16_t>(SSL_client_hello_get0_legacy_version(ssl));
  const unsigned char* versions = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &versions, &size) == 1) {
    for (std::size_t i = 1; i + 1 < size; i += 2) {
      const auto version = static_cast<std::uint16_t>(versions[i] << 8 | versions[i + 1]);
      if (version == TLS1_3_VERSION) record.best_version = version;
    }
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

Result<ContextPointer> make_context(const Secret<32>& tls_seed, HandshakeRecord& record) {
  ContextPointer context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  const KeyPointer key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, as_uchar(tls_seed.expose()), Secret<32>::kSize),
      EVP_PKEY_free);
  const CertificatePointer certificate = key ? make_certificate(key.get()) : CertificatePointer(nullptr, X509_free);
  SSL_CTX* raw = context.get();
  const bool made =
      raw != nullptr && certificate && SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1 && SSL_CTX_set_ciphersuites(raw, kCipherSuites) == 1 &&
      SSL_CTX_set1_groups_list(raw, "X25519") == 1 && SSL_CTX_set1_sigalgs_list(raw, "ed25519") == 1 &&
      SSL_CTX_set1_client_sigalgs_list(raw, "ed25519") == 1 && SSL_CTX_use_certificate(raw, certificate.get()) == 1 &&
      SSL_CTX_use_PrivateKey(raw, key.get()) == 1 && SSL_CTX_set_num_tickets(raw, 0) == 1;
  if (!made) {
    ERR_clear_error();
    return fail(Errc::internal, "OpenSSL refuses the settings that parley needs: TLS 1.3 with X25519 and Ed25519.");
  }
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(raw, 0);
  SSL_CTX_set_max_cert_list(raw, kMaxCertificateBytes);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_default_read_buffer_len(raw, kReadBufferBytes);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(raw, verify, &record);
  SSL_CTX_set_client_hello_cb(raw, look_at_client_hello, &record);
  return context;
}

}  // namespace parley::wire::detail
