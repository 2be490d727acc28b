// Member cards: made, read and checked (log.md 1.2; docs/wire-format.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/hidden.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "group/card_rules.h"
#include "log/note.h"
#include "wire/address.h"

namespace parley::group {
namespace {

constexpr std::string_view kCardKind = "parley/card/v1";
constexpr std::string_view kLinePrefix = "parley-card1:";
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kMaxDomainBytes = 64;
constexpr std::size_t kMaxContactBytes = 256;
constexpr std::size_t kMaxEndpoints = 8;
constexpr std::size_t kMaxEndpointBytes = 300;
constexpr std::size_t kMaxVkeyBytes = 300;
constexpr std::size_t kFingerprintBytes = 20;
constexpr std::size_t kFingerprintGroup = 4;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxDomainBytes &&
         std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; });
}

std::string key_name(std::string_view domain, std::string_view nick, std::string_view role) {
  return fmt::format("{}/m/{}{}", domain, nick, role);
}

/// The four note keys of a card and what each must be (log.md 1.1).
struct NoteKeys {
  log::VerifierKey id, node, log, cosign;
};

Status check_key_names(const NoteKeys& keys, std::string_view nick) {
  const std::string id_suffix = key_name("", nick, "/id");
  const std::string& id = keys.id.name;
  const std::string_view domain =
      id.ends_with(id_suffix) ? std::string_view(id).substr(0, id.size() - id_suffix.size()) : std::string_view();
  if (!is_domain(domain) || keys.node.name != key_name(domain, nick, "/node") ||
      keys.log.name != key_name(domain, nick, "") || keys.cosign.name != key_name(domain, nick, "/mirror")) {
    return fail(Errc::format, "The card's keys do not bear the names that belong to its nick.");
  }
  using log::KeyType;
  if (keys.id.type != KeyType::ed25519 || keys.node.type != KeyType::ed25519 || keys.log.type != KeyType::ed25519 ||
      keys.cosign.type != KeyType::cosignature) {
    return fail(Errc::format, "One of the card's keys is of the wrong kind.");
  }
  return {};
}

Status check_keys_differ(const NoteKeys& keys, const ByteArray<32>& tls_key) {
  std::array all = {keys.id.key, keys.node.key, keys.log.key, keys.cosign.key, tls_key};
  std::ranges::sort(all);
  if (std::ranges::adjacent_find(all) != all.end()) return fail(Errc::format, "The card names one key for two uses.");
  return {};
}

struct CardBody {
  Card card;
  std::string contact;
  std::vector<std::string> endpoints;
};

Result<CardBody> read_body(const log::Json& json) {
  log::ObjectReader reader(json, "the card");
  CardBody body;
  body.contact = reader.text("contact", kMaxContactBytes);
  body.card.cosign_vkey = reader.text("cosign", kMaxVkeyBytes);
  body.card.created = reader.integer("created", 0, kLatestTime);
  body.endpoints = reader.texts("endpoint", kMaxEndpoints, kMaxEndpointBytes);
  body.card.id_vkey = reader.text("id", kMaxVkeyBytes);
  body.card.log_vkey = reader.text("log", kMaxVkeyBytes);
  body.card.name = reader.text("name", kMaxNameBytes);
  body.card.nick = reader.text("nick", kMaxNickBytes);
  body.card.node_vkey = reader.text("node", kMaxVkeyBytes);
  const Bytes tls = reader.bytes("tls", body.card.tls_key.size());
  reader.integer("v", 1, 1);
  if (visible(body.contact) != body.contact) reader.refuse("\"contact\" has characters that deceive the eye");
  if (!check_name(body.card.name)) reader.refuse("\"name\" must be readable text");
  if (!is_nick(body.card.nick)) reader.refuse("\"nick\" must be [a-z0-9-]");
  for (const std::string& endpoint : body.endpoints) {
    if (!wire::parse_address(endpoint)) reader.refuse("\"endpoint\" must hold addresses host:port");
  }
  TRY_STATUS(reader.finish());
  std::ranges::copy(tls, body.card.tls_key.begin());
  return body;
}

Result<Card> check_card(std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  if (note.signatures.size() != 1) return fail(Errc::format, "A card must have exactly one signature.");
  TRY(const log::Json json, log::read_object_unverified(note, kCardKind, kMaxCardBytes));
  TRY(CardBody body, read_body(json));
  NoteKeys keys;
  TRY(keys.id, log::parse_vkey(body.card.id_vkey));
  TRY_STATUS(log::verify_note(note, keys.id));
  TRY(keys.node, log::parse_vkey(body.card.node_vkey));
  TRY(keys.log, log::parse_vkey(body.card.log_vkey));
  TRY(keys.cosign, log::parse_vkey(body.card.cosign_vkey));
  TRY_STATUS(log::admit_public_key(body.card.tls_key));
  TRY_STATUS(check_key_names(keys, body.card.nick));
  TRY_STATUS(check_keys_differ(keys, body.card.tls_key));
  body.card.note = text;
  return std::move(body.card);
}

}  // namespace

std::string Card::fingerprint() const {
  const Digest digest = crypto::sha256(as_bytes(note));
  const std::string text = to_base32_crockford(ByteView(digest).first(kFingerprintBytes));
  std::string grouped;
  for (std::size_t i = 0; i < text.size(); i += kFingerprintGroup) {
    if (i > 0) grouped += '-';
    grouped += text.substr(i, kFingerprintGroup);
  }
  return grouped;
}

std::string Card::line() const {
  return std::string(kLinePrefix) + to_base64url(as_bytes(note));
}

Result<Card> read_card(std::string_view text) {
  constexpr std::size_t kMaxLineBytes = kLinePrefix.size() + kMaxCardBytes / 3 * 4 + 4;
  std::string_view line = text;
  while (!line.empty() && std::string_view(" \t\r\n").contains(line.back())) line.remove_suffix(1);
  while (!line.empty() && std::string_view(" \t\r\n").contains(line.front())) line.remove_prefix(1);
  if (!line.starts_with(kLinePrefix)) {
    if (text.size() > kMaxCardBytes)
      return fail(Errc::limit, fmt::format("A card has at most {} bytes.", kMaxCardBytes));
    return check_card(text);
  }
  if (line.size() > kMaxLineBytes) return fail(Errc::limit, fmt::format("A card has at most {} bytes.", kMaxCardBytes));
  const auto note = from_base64url(line.substr(kLinePrefix.size()));
  if (!note)
    return fail(Errc::format,
                "The card's line is damaged: after parley-card1: only base64url may stand. Copy it again, whole and on "
                "one line.");
  return check_card(as_text(*note));
}

Status check_name(std::string_view name) {
  const std::string hidden = hidden_in(name);
  if (name.empty() || name.size() > kMaxNameBytes || !hidden.empty() || name.front() == ' ' || name.back() == ' ')
    return fail(Errc::usage,
                fmt::format("A member's name is 1 to {} bytes of readable text.{}", kMaxNameBytes, hidden));
  return {};
}

Result<std::string> nick_for(std::string_view name) {
  std::string nick;
  for (const char c : name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (is_lower_or_digit(lower)) {
      nick += lower;
    } else if (!nick.empty() && nick.back() != '-') {
      nick += '-';
    }
    if (nick.size() == kMaxNickBytes) break;
  }
  while (!nick.empty() && nick.back() == '-') nick.pop_back();
  if (nick.empty()) {
    return fail(Errc::usage,
                "The name needs at least one letter a-z or digit, from which the member's short name is made.",
                visible(name));
  }
  return nick;
}

std::string make_card(std::string_view name, std::string_view nick, const MemberSeeds& seeds, UnixSeconds created) {
  using log::KeyType;
  const std::string id_name = key_name(kDomain, nick, "/id");
  const log::Json card = log::Json::Object{
      {"contact", ""},
      {"cosign", log::vkey_of(key_name(kDomain, nick, "/mirror"), KeyType::cosignature, seeds.cosign).text()},
      {"created", created},
      {"endpoint", log::Json::Array{}},
      {"id", log::vkey_of(id_name, KeyType::ed25519, seeds.id).text()},
      {"log", log::vkey_of(key_name(kDomain, nick, ""), KeyType::ed25519, seeds.log).text()},
      {"name", name},
      {"nick", nick},
      {"node", log::vkey_of(key_name(kDomain, nick, "/node"), KeyType::ed25519, seeds.node).text()},
      {"tls", to_base64(crypto::public_key_of(seeds.tls))},
      {"v", 1},
  };
  return log::sign_object(kCardKind, card, id_name, seeds.id);
}

}  // namespace parley::group
