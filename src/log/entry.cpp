#include "log/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <functional>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "log/detail/entry_scanner.h"
#include "log/merkle.h"

namespace parley::log {
namespace {

constexpr std::int64_t kEntryVersion = 1;
constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::size_t kSessionDigits = 32;
constexpr std::string_view kSessionDomain{"parley/session/v1\0", 18};

bool is_session(std::string_view text) {
  ByteArray<kSessionDigits / 2> session;
  return read_hex(text, session);
}

/// The first rule that the header breaks, as a sentence without its end; empty if it breaks none.
std::string broken_session_rule(const Entry& entry) {
  const auto type = entry_type(entry.type);
  if (!type) return fmt::format("the type \"{}\" is not known", visible(entry.type));
  if (!entry.session.empty() && !is_session(entry.session)) return "a session is named by 32 hexadecimal digits";
  if (type->session == SessionUse::always && entry.session.empty()) return entry.type + " belongs to a session";
  if (type->session == SessionUse::never && !entry.session.empty()) return entry.type + " belongs to no session";
  return {};
}

std::string broken_place_rule(const Entry& entry) {
  if (entry.seq >= kMaxTreeSize) return "its number is too large";
  if ((entry.seq == 0) != (entry.type == kLogOpen)) return "a log begins with log.open, and only begins with it";
  if (entry.seq == 0 && entry.prev != Digest{}) return "entry 0 follows nothing";
  if (entry.time < 0 || entry.time > kMaxInteger) return "its time is no Unix time";
  return {};
}

std::string broken_reader_rule(const Entry& entry) {
  if (entry.refs.size() > kMaxRefs) return fmt::format("it refers to more than {} entries", kMaxRefs);
  std::vector<Digest> refs = entry.refs;
  std::ranges::sort(refs);
  if (std::ranges::adjacent_find(refs) != refs.end()) return "it refers to an entry twice";
  if (entry.audience == std::vector<std::string>{std::string(kEveryone)}) return {};
  if (entry.audience.size() >= kMaxGroupMembers) return "its audience is larger than a group";
  if (!std::ranges::all_of(entry.audience, [](const std::string& nick) { return is_nick(nick); }))
    return "its audience must be nicks";
  if (std::ranges::adjacent_find(entry.audience, std::greater_equal<>()) != entry.audience.end())
    return "its audience must ascend, each nick once";
  if (std::ranges::find(entry.audience, entry.author) != entry.audience.end())
    return "its author is in its own audience";
  return {};
}

Status check_header(const Entry& entry) {
  std::string why;
  if (!is_nick(entry.author)) why = "its author must be a nick";
  if (why.empty()) why = broken_session_rule(entry);
  if (why.empty()) why = broken_place_rule(entry);
  if (why.empty()) why = broken_reader_rule(entry);
  if (!why.empty()) return fail(Errc::format, fmt::format("Not an entry of a log: {}.", why));
  return {};
}

Json to_json(const Entry& entry) {
  Json::Array audience(entry.audience.begin(), entry.audience.end());
  return Json::Object{{"aud", std::move(audience)},
                      {"author", entry.author},
                      {"body", to_hex(entry.body)},
                      {"charter", to_hex(entry.charter)},
                      {"prev", to_hex(entry.prev)},
                      {"refs", hex_of(entry.refs)},
                      {"seq", static_cast<std::int64_t>(entry.seq)},
                      {"session", entry.session},
                      {"time", entry.time},
                      {"type", entry.type},
                      {"v", kEntryVersion}};
}

Result<Entry> from_json(const Json& object) {
  ObjectReader reader(object, "the entry");
  Entry entry;
  entry.audience = reader.texts("aud", kMaxGroupMembers, kMaxTypeBytes);
  entry.author = reader.text("author", kMaxTypeBytes);
  entry.body = reader.digest("body");
  entry.charter = reader.digest("charter");
  entry.prev = reader.digest("prev");
  entry.refs = reader.digests("refs", kMaxRefs);
  entry.seq = static_cast<std::uint64_t>(reader.integer("seq", 0, kMaxInteger - 1));
  entry.session = reader.text("session", kSessionDigits);
  entry.time = reader.integer("time", 0, kMaxInteger);
  entry.type = reader.text("type", kMaxTypeBytes);
  reader.integer("v", kEntryVersion, kEntryVersion);
  TRY_STATUS(reader.finish());
  TRY_STATUS(check_header(entry));
  return entry;
}

Status check_size(const Body& body) {
  if (body.text.size() <= kMaxBodyBytes) return {};
  return fail(Errc::limit,
              fmt::format("The body of an entry has {} bytes; {} is the limit.", body.text.size(), kMaxBodyBytes));
}

/// Why an entry is not signed with the key that is due where it says that it stands: it claims to be by another one of
/// its author's. Nothing if it does not. Keys are told apart by four bytes, so an author can make two that look alike:
/// asked only of what the due key did not sign.
std::optional<std::string> key_of_another_place(const Note& note, std::uint64_t seq, const MemberKeys& author) {
  for (const PlacedRotation& placed : author.rotated) {
    const Rotation& rotation = placed.rotation;
    if (rotation.role != KeyRole::node) continue;
    const auto is_by = [&](const VerifierKey& key) {
      return key != author.node_at(seq) && key.name == note.signatures.front().name &&
             key.id() == note.signatures.front().key_id;
    };
    if (is_by(rotation.old) && seq >= placed.seq)
      return fmt::format("Entry {} of {} is signed with a node key that entry {} replaced ({}).", seq, author.nick,
                         placed.seq, name_of(rotation.reason));
    if (is_by(rotation.next) && seq < placed.seq)
      return fmt::format("Entry {} of {} is signed with a node key that only entry {} brought in.", seq, author.nick,
                         placed.seq);
  }
  return std::nullopt;
}

Result<Entry> read_entry_by(const VerifierKey& node, std::string_view note, const std::string& nick) {
  const auto plain = detail::split_plain_note(note);
  if (plain && plain->key_name == node.name && plain->key_id == node.id() &&
      crypto::verify(node.key, as_bytes(plain->text), plain->signature)) {
    auto scanned = detail::scan_entry(plain->text);
    if (scanned && scanned->author == nick && check_header(*scanned)) return *std::move(scanned);
  }
  TRY(const Json object, read_object(note, kEntryKind, node, kMaxEntryBytes));
  TRY(Entry entry, from_json(object));
  if (entry.author != nick)
    return fail(Errc::format, fmt::format("An entry signed by {} says that it is by {}.", nick, entry.author));
  return entry;
}

std::unexpected<Error> does_not_continue(const Entry& entry, std::string_view why) {
  return fail(Errc::protocol,
              fmt::format("Entry {} does not continue the log of {}: {}.", entry.seq, entry.author, why));
}

}  // namespace

std::optional<EntryType> entry_type(std::string_view name) {
  const auto found = std::ranges::find(kEntryTypes, name, &EntryType::name);
  if (found == kEntryTypes.end()) return std::nullopt;
  return *found;
}

Result<std::string> make_entry(const Entry& entry, std::string_view node_key_name, const crypto::SigningKey& node_key) {
  TRY_STATUS(check_header(entry));
  std::string note = sign_object(kEntryKind, to_json(entry), node_key_name, node_key);
  assert(note.size() <= kMaxEntryBytes);  // every field is bounded to far less
  return note;
}

Result<Entry> read_entry(std::string_view note, const MemberKeys& author) {
  if (author.node.type != KeyType::ed25519) return fail(Errc::signature, "A node key must be an Ed25519 key.");
  if (author.rotation(KeyRole::node) == nullptr) return read_entry_by(author.node, note, author.nick);
  TRY(const Entry claimed, read_entry_unverified(note));
  auto read = read_entry_by(author.node_at(claimed.seq), note, author.nick);
  if (read) return read;
  TRY(const Note parsed, parse_note(note));
  const auto why = key_of_another_place(parsed, claimed.seq, author);
  if (why) return fail(Errc::signature, *why);
  return read;
}

Result<Entry> read_entry_unverified(std::string_view note) {
  if (const auto plain = detail::split_plain_note(note)) {
    auto scanned = detail::scan_entry(plain->text);
    if (scanned && check_header(*scanned)) return *std::move(scanned);
  }
  return parse_entry(note);
}

Result<Entry> parse_entry(std::string_view note) {
  if (note.size() > kMaxEntryBytes) {
    return fail(Errc::limit, fmt::format("An entry of {} bytes is longer than {}.", note.size(), kMaxEntryBytes));
  }
  TRY(const Note parsed, parse_note(note));
  if (parsed.signatures.size() != 1) return fail(Errc::format, "Not an entry of a log: exactly one signature is due.");
  TRY(const Json object, read_object_unverified(parsed, kEntryKind, kMaxEntryBytes));
  return from_json(object);
}

Result<Body> make_body(const Json& object) {
  Body body{random_bytes<32>(), write_pjson(object)};
  TRY_STATUS(check_size(body));
  return body;
}

Result<Json> open_body(const Entry& entry, const Body& body) {
  TRY_STATUS(check_size(body));
  if (body.commitment() != entry.body) {
    return fail(Errc::signature,
                fmt::format("This is not the body that entry {} of {} was signed for.", entry.seq, entry.author));
  }
  return parse_pjson(body.text, kMaxBodyBytes);
}

Result<Extension> extend(const LogState& state, std::string_view leaf, const MemberKeys& author) {
  TRY(Entry entry, read_entry(leaf, author));
  return follow(state, std::move(entry), leaf_hash(as_bytes(leaf)));
}

Result<Extension> follow(const LogState& state, Entry entry, const Digest& hash) {
  if (state.sealed) return does_not_continue(entry, "the log is sealed");
  if (entry.seq != state.size) return does_not_continue(entry, fmt::format("entry {} is due", state.size));
  if (entry.prev != state.last) return does_not_continue(entry, "it names another entry as the one before it");
  if (entry.time < state.last_time) return does_not_continue(entry, "its time is before that of the entry before it");
  const LogState next{state.size + 1, hash, entry.time, entry_type(entry.type)->seals};
  return Extension{std::move(entry), hash, next};
}

std::string session_of_proposal(const Digest& propose_leaf_hash) {
  crypto::Sha256 hash;
  hash.update(as_bytes(kSessionDomain));
  hash.update(propose_leaf_hash);
  return to_hex(ByteView(hash.finish()).first(kSessionDigits / 2));
}

std::optional<StepKey> step_key(const Entry& entry) {
  const auto type = entry_type(entry.type);
  if (!type || !type->once) return std::nullopt;
  return StepKey{entry.author, entry.session, entry.type};
}

}  // namespace parley::log
