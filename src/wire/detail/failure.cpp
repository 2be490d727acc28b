// The cases of log.md 3.1 and the threat table: unknown key, downgrade, plain TCP, port scanner, altered records.
#include "wire/detail/failure.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <array>

#include "base/file.h"
#include "base/text.h"

namespace parley::wire::detail {
namespace {

constexpr char kTlsHandshakeRecord = 0x16;
constexpr char kTlsAlertRecord = 0x15;
constexpr std::size_t kShownBytes = 40;

int reason_of(const FailureFacts& facts) {
  return ERR_GET_REASON(facts.reason);
}

/// The alert of a server that does not take our certificate. A server of ours sends bad_certificate.
bool is_refusal_of_our_key(int reason) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

std::string_view name_of_version(std::uint16_t version) {
  switch (version) {
    case SSL3_VERSION:
      return "SSL 3";
    case TLS1_VERSION:
      return "TLS 1.0";
    case TLS1_1_VERSION:
      return "TLS 1.1";
    case TLS1_2_VERSION:
      return "TLS 1.2";
    default:
      return "an unknown version of TLS";
  }
}

/// What somebody who does not speak TLS seems to speak.
std::string_view guess_protocol(std::string_view beginning) {
  for (const std::string_view method : {"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ", "PRI "}) {
    if (beginning.starts_with(method)) return "HTTP";
  }
  if (beginning.starts_with("SSH-")) return "SSH";
  if (beginning.starts_with(std::string_view("\x03\x00", 2))) return "RDP";
  if (beginning.starts_with("EHLO ") || beginning.starts_with("HELO ") || beginning.starts_with("220 ")) return "SMTP";
  return "something else";
}

Error not_tls(std::string_view beginning) {
  return {Errc::protocol,
          fmt::format("Refused: it speaks {} over plain TCP and not TLS 1.3. It began with \"{}\".",
                      guess_protocol(beginning), visible(beginning.substr(0, kShownBytes))),
          {}};
}

bool looks_like_tls(std::string_view beginning) {
  return beginning[0] == kTlsHandshakeRecord || beginning[0] == kTlsAlertRecord;
}

std::string reason_text(unsigned long reason) {
  const char* text = ERR_reason_error_string(reason);
  return text == nullptr ? fmt::format("OpenSSL error {:x}", reason) : text;
}

}  // namespace

Error describe_server_handshake(const FailureFacts& facts, const HandshakeRecord& record) {
  const int reason = reason_of(facts);
  if (facts.beginning.empty()) {
    return {Errc::peer_gone, "It closed the connection without a word, as a port scanner does.", {}};
  }
  if (!looks_like_tls(facts.beginning)) return not_tls(facts.beginning);
  if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_VERSION_TOO_LOW || reason == SSL_R_WRONG_SSL_VERSION) {
    return {Errc::protocol,
            fmt::format(
                "Refused: it offers nothing newer than {}, and parley speaks TLS 1.3 only; this may be an attempt to "
                "downgrade the connection.",
                name_of_version(record.best_version)),
            {}};
  }
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    return {Errc::peer_unknown, "Refused: it shows no certificate, so it proves to be nobody.", {}};
  }
  if (facts.ended || facts.error_number != 0) {
    return {Errc::peer_gone, "It broke off in the middle of the TLS handshake.", {}};
  }
  if (is_refusal_of_our_key(reason)) {
    return {Errc::refused,
            "It refuses our key: it takes us for somebody else. Compare fingerprints with its operator.",
            {}};
  }
  return {Errc::protocol, fmt::format("Refused: the TLS handshake failed ({}).", reason_text(facts.reason)), {}};
}

Error describe_client_handshake(const FailureFacts& facts) {
  const int reason = reason_of(facts);
  if (is_refusal_of_our_key(reason)) {
    return {Errc::refused,
            "The node there refuses our key. Its operator must first add this member with \"parley peer add\".",
            {}};
  }
  if (!facts.beginning.empty() && !looks_like_tls(facts.beginning)) return not_tls(facts.beginning);
  if (facts.ended || facts.error_number != 0) {
    return {Errc::peer_gone, "Somebody there takes connections but closed this one during the TLS handshake.", {}};
  }
  return {Errc::protocol,
          fmt::format("The TLS handshake failed ({}); is it a parley node?", reason_text(facts.reason)),
          {}};
}

Error describe_break(const FailureFacts& facts) {
  const int reason = reason_of(facts);
  if (facts.ssl_error == SSL_ERROR_ZERO_RETURN) return {Errc::peer_gone, "The other side closed the connection.", {}};
  if (is_refusal_of_our_key(reason)) return describe_client_handshake(facts);
  if (reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC) {
    return {Errc::protocol, "What arrived was altered on its way; the connection is closed.", {}};
  }
  if (facts.error_number != 0) {
    return {Errc::peer_gone, fmt::format("The connection broke: {}.", system_error_text(facts.error_number)), {}};
  }
  if (facts.ended) return {Errc::peer_gone, "The connection was cut without a farewell.", {}};
  return {Errc::protocol, fmt::format("The TLS connection failed ({}).", reason_text(facts.reason)), {}};
}

}  // namespace parley::wire::detail
