// Invitations and their answers, and the comparison by voice (invitation.h).
#include "group/invitation.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "group/card_rules.h"
#include "group/charter.h"
#include "log/pjson.h"
#include "wire/address.h"

namespace parley::group {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::string_view kIdDomain{"parley/invitation/v1\0", 21};
constexpr std::string_view kMacDomain = "parley/join/v1";
constexpr std::string_view kPairDomain = "parley/psk/v1";
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kMaxEndpointBytes = 300;
constexpr std::size_t kSpokenGroups = 2;

std::string id_of(const Secret<32>& secret) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kIdDomain));
  hash.update(secret.expose());
  return to_hex(ByteView(hash.finish()).first(kIdBytes));
}

std::string secret_name(std::string_view id) {
  return fmt::format("invitation/{}", id);
}

Digest hash_of(const Card& card) {
  return crypto::sha256(as_bytes(card.note));
}

// The draft stands in the place of the connection's name (log.md 1.4): the answer travels by itself.
Digest mac_of(const Secret<32>& secret, const Card& inviter, const Card& invited, const Digest& draft,
              std::string_view endpoint) {
  Bytes message = to_bytes(kMacDomain);
  append(message, hash_of(inviter));
  append(message, hash_of(invited));
  append(message, draft);
  append(message, as_bytes(endpoint));
  return crypto::hmac_sha256(secret.expose(), message);
}

/// The object behind `prefix` on one line.
Result<SecretBytes> decode_line(std::string_view text, std::string_view prefix, std::string_view what) {
  while (!text.empty() && std::string_view(" \t\r\n").contains(text.back())) text.remove_suffix(1);
  while (!text.empty() && std::string_view(" \t\r\n").contains(text.front())) text.remove_prefix(1);
  if (text.size() > kMaxInvitationBytes)
    return fail(Errc::limit, fmt::format("{} has at most {} bytes.", what, kMaxInvitationBytes));
  if (!text.starts_with(prefix)) return fail(Errc::format, fmt::format("{} begins with {}.", what, prefix));
  const auto decoded = from_base64url(text.substr(prefix.size()));
  if (!decoded)
    return fail(Errc::format,
                fmt::format("{} is damaged: after {} only base64url may stand. Copy it again, whole and on one line.",
                            what, prefix));
  return SecretBytes(ByteView(*decoded));
}

Result<Card> read_whole_card(const std::string& note) {
  TRY(Card card, read_card(note));
  if (card.note != note) return fail(Errc::format, "The card in an invitation must be the note itself.");
  return card;
}

Status close_invitation(vault::Vault& vault, vault::InvitationRow row) {
  row.open = false;
  const auto close = [&]() -> Status {
    TRY_STATUS(vault.put_secret(secret_name(row.id), {}));
    return vault.put_invitation(row);
  };
  return vault.together(close);
}

Result<vault::InvitationRow> find_invitation(vault::Vault& vault, std::string_view id) {
  TRY(const auto rows, vault.invitations());
  const auto found = std::ranges::find(rows, id, &vault::InvitationRow::id);
  if (found == rows.end())
    return fail(Errc::not_found, "This answers no invitation of this member. Ask which one they mean, and by whom.");
  return *found;
}

}  // namespace

std::string Invitation::id() const {
  return id_of(secret);
}

SecretBytes write_invitation(const Invitation& invitation) {
  const Json object = Json::Object{{"draft", to_hex(invitation.draft)},
                                   {"endpoint", invitation.endpoint},
                                   {"expires", invitation.expires},
                                   {"from", invitation.from.note},
                                   {"group", invitation.group},
                                   {"secret", to_base64(invitation.secret.expose())},
                                   {"v", 1}};
  const SecretBytes text(as_bytes(log::write_pjson(object)));
  const std::string line = std::string(kInvitationPrefix) + to_base64url(text.expose());
  return SecretBytes(as_bytes(line));
}

Result<Invitation> read_invitation(std::string_view line) {
  TRY(const SecretBytes text, decode_line(line, kInvitationPrefix, "An invitation"));
  TRY(const Json object, log::parse_pjson(as_text(text.expose()), kMaxInvitationBytes));
  ObjectReader reader(object, "the invitation");
  Invitation invitation;
  invitation.draft = reader.digest("draft");
  invitation.endpoint = reader.text("endpoint", kMaxEndpointBytes);
  invitation.expires = reader.integer("expires", 0, log::kMaxInteger);
  const std::string from = reader.text("from", kMaxCardBytes);
  invitation.group = reader.text("group", kGroupIdDigits);
  const SecretBytes secret{ByteView(reader.bytes("secret", Secret<32>::kSize))};
  reader.integer("v", 1, 1);
  if (!is_group_id(invitation.group)) reader.refuse("\"group\" must be 32 hexadecimal digits");
  if (!wire::parse_address(invitation.endpoint)) reader.refuse("\"endpoint\" must be host:port");
  TRY_STATUS(reader.finish());
  TRY(invitation.from, read_whole_card(from));
  invitation.secret = Secret<32>(secret.expose().first<Secret<32>::kSize>());
  return invitation;
}

std::string answer_invitation(const Invitation& invitation, const Card& ours, std::string_view endpoint) {
  const Digest mac = mac_of(invitation.secret, invitation.from, ours, invitation.draft, endpoint);
  const Json object = Json::Object{
      {"card", ours.note}, {"endpoint", endpoint}, {"invitation", invitation.id()}, {"mac", to_hex(mac)}, {"v", 1}};
  return std::string(kAnswerPrefix) + to_base64url(as_bytes(log::write_pjson(object)));
}

Result<InvitationAnswer> read_answer(std::string_view line) {
  TRY(const SecretBytes text, decode_line(line, kAnswerPrefix, "The answer to an invitation"));
  TRY(const Json object, log::parse_pjson(as_text(text.expose()), kMaxInvitationBytes));
  ObjectReader reader(object, "the answer to an invitation");
  InvitationAnswer answer;
  const std::string card = reader.text("card", kMaxCardBytes);
  answer.endpoint = reader.text("endpoint", kMaxEndpointBytes);
  answer.invitation = reader.text("invitation", 2 * kIdBytes);
  answer.mac = reader.digest("mac");
  reader.integer("v", 1, 1);
  if (!answer.endpoint.empty() && !wire::parse_address(answer.endpoint))
    reader.refuse("\"endpoint\" must be host:port, or empty");
  TRY_STATUS(reader.finish());
  TRY(answer.card, read_whole_card(card));
  return answer;
}

Secret<32> pair_key(const Secret<32>& secret, const Card& a, const Card& b) {
  Bytes message = to_bytes(kPairDomain);
  std::array hashes = {hash_of(a), hash_of(b)};
  std::ranges::sort(hashes);
  for (const Digest& hash : hashes) append(message, hash);
  Secret<32> key;
  crypto::blake2b(key.expose_mutable(), message, secret.expose());
  return key;
}

std::string pair_key_name(const Card& peer) {
  return "pair/" + to_hex(hash_of(peer));
}

Result<Invitation> invite(vault::Vault& vault, const Card& ours, std::string_view group, const Digest& draft,
                          std::string_view invited, std::string_view endpoint, UnixSeconds now) {
  TRY_STATUS(wire::parse_callable_address(endpoint));
  Invitation invitation{.group = std::string(group),
                        .draft = draft,
                        .endpoint = std::string(endpoint),
                        .expires = now + kInvitationLastsSeconds,
                        .from = ours,
                        .secret = random_secret<32>()};
  const vault::InvitationRow row{
      .id = invitation.id(), .group = invitation.group, .invited = std::string(invited), .expires = invitation.expires};
  const auto keep = [&]() -> Status {
    TRY_STATUS(vault.put_invitation(row));
    return vault.put_secret(secret_name(row.id), invitation.secret.expose());
  };
  TRY_STATUS(vault.together(keep));
  return invitation;
}

Result<vault::InvitationRow> accept_answer(vault::Vault& vault, const Card& ours, const InvitationAnswer& answer,
                                           const Digest& draft, UnixSeconds now) {
  TRY(vault::InvitationRow row, find_invitation(vault, answer.invitation));
  if (!row.open)
    return fail(Errc::policy, "This invitation was used already, withdrawn or burnt. Make another: parley invite.");
  if (now >= row.expires) {
    TRY_STATUS(close_invitation(vault, row));
    return fail(Errc::policy,
                fmt::format("This invitation expired at {}. Make another: parley invite.", to_rfc3339(row.expires)));
  }
  TRY(const auto stored, vault.secret(secret_name(row.id)));
  if (!stored || stored->size() != Secret<32>::kSize)
    return fail(Errc::vault_damaged, "The secret of an open invitation is not in the vault.");
  const Secret<32> secret(stored->expose().first<Secret<32>::kSize>());
  if (!constant_time_equal(mac_of(secret, ours, answer.card, draft, answer.endpoint), answer.mac)) {
    ++row.failures;
    const bool burnt = row.failures >= kInvitationFailures;
    TRY_STATUS(burnt ? close_invitation(vault, row) : vault.put_invitation(row));
    return fail(
        Errc::signature,
        fmt::format("This answer does not come from whoever holds the invitation, or it is for other terms. {}",
                    burnt ? "It was the third; the invitation is burnt." : "Three such answers burn the invitation."));
  }
  const auto keep = [&]() -> Status {
    TRY_STATUS(vault.put_secret(pair_key_name(answer.card), pair_key(secret, ours, answer.card).expose()));
    return close_invitation(vault, row);
  };
  TRY_STATUS(vault.together(keep));
  row.open = false;
  return row;
}

Result<std::string> accept_invitation(vault::Vault& vault, const Card& ours, const Invitation& invitation,
                                      std::string_view endpoint, UnixSeconds now) {
  if (!endpoint.empty()) TRY_STATUS(wire::parse_callable_address(endpoint));
  if (now >= invitation.expires)
    return fail(Errc::policy,
                fmt::format("This invitation expired at {}. Ask for another.", to_rfc3339(invitation.expires)));
  if (invitation.from.id_vkey == ours.id_vkey) return fail(Errc::usage, "This is your own invitation.");
  TRY_STATUS(
      vault.put_secret(pair_key_name(invitation.from), pair_key(invitation.secret, ours, invitation.from).expose()));
  return answer_invitation(invitation, ours, endpoint);
}

Result<std::size_t> close_expired_invitations(vault::Vault& vault, UnixSeconds now) {
  TRY(const auto rows, vault.invitations());
  std::size_t closed = 0;
  for (const vault::InvitationRow& row : rows) {
    if (!row.open || now < row.expires) continue;
    TRY_STATUS(close_invitation(vault, row));
    ++closed;
  }
  return closed;
}

Status check_spoken(std::string_view typed, const Card& card) {
  constexpr std::size_t kGroupLength = 4;
  std::string whole = card.fingerprint();
  std::erase(whole, '-');
  std::string heard;
  for (char c : typed) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == 'o') c = '0';
    if (c == 'i' || c == 'l') c = '1';
    heard += c;
  }
  if (heard.size() != kSpokenGroups * kGroupLength && heard.size() != whole.size())
    return fail(Errc::usage,
                "Type the last two groups of the other side's fingerprint, as they read them to you, or all eight: "
                "eight letters and digits, or thirty-two.");
  if (!whole.ends_with(heard))
    return fail(
        Errc::signature,
        "These are not the last groups of the fingerprint of the card that is pinned here. Either you misheard, "
        "or somebody gave you another card than theirs. Nothing was confirmed.");
  return {};
}

}  // namespace parley::group
