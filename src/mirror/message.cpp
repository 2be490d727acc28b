// Writing and reading messages. Reading looks at each length before it takes memory, and copies nothing that is not
// within its limit.
#include "mirror/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace parley::mirror {
namespace {

using log::Json;
using log::ObjectReader;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kGroupDigits = 32;
constexpr std::size_t kMaxNickBytes = 32;
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
constexpr std::size_t kMaxParts = 2 * kMaxPushLeaves + 1;  ///< of a push: leaves, bodies, a checkpoint
constexpr std::size_t kSaltBytes = sizeof(log::Salt);

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::format, fmt::format("Not a message between replicas of a log: {}.", why));
}

std::string_view name_of(Get::What what) {
  switch (what) {
    case Get::What::entries:
      return "entries";
    case Get::What::body:
      return "body";
    case Get::What::prefix:
      return "prefix";
  }
  return {};
}

// --- writing -----------------------------------------------------------------------------------------------------

/// A message under construction: the head first, then its parts.
class Writer {
 public:
  Writer(MessageType type, std::string_view group, Json::Object head) : type_(type) {
    head.emplace("group", group);
    head.emplace("v", kVersion);
    add(as_bytes(log::write_pjson(head)));
  }
  void add(ByteView part) {
    append_be(payload_, static_cast<std::uint32_t>(part.size()));
    append(payload_, part);
  }
  void add(std::string_view part) { add(as_bytes(part)); }
  void add(const log::Body& body) {
    append_be(payload_, static_cast<std::uint32_t>(kSaltBytes + body.text.size()));
    append(payload_, body.salt);
    append(payload_, as_bytes(body.text));
  }
  Result<Message> finish() && {
    if (payload_.size() > kMaxMessageBytes)
      return fail(Errc::limit,
                  fmt::format("A message of {} bytes; {} is the limit.", payload_.size(), kMaxMessageBytes));
    return Message{type_, std::move(payload_)};
  }

 private:
  MessageType type_;
  Bytes payload_;
};

Json number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

Result<Message> write(std::string_view group, const Heads& heads) {
  Json::Array nicks;
  for (const Heads::Log& log : heads.logs) nicks.emplace_back(log.nick);
  Writer writer(MessageType::heads, group, {{"answer", heads.answer}, {"logs", std::move(nicks)}});
  for (const Heads::Log& log : heads.logs) writer.add(log.checkpoint);
  return std::move(writer).finish();
}

Result<Message> write(std::string_view group, const Push& push) {
  Json::Array with_body;
  for (const Push::EntryBody& body : push.bodies) with_body.push_back(number(body.seq));
  Writer writer(MessageType::push, group,
                {{"bodies", std::move(with_body)},
                 {"count", number(push.leaves.size())},
                 {"from", number(push.from)},
                 {"log", push.log}});
  for (const std::string& leaf : push.leaves) writer.add(leaf);
  for (const Push::EntryBody& body : push.bodies) writer.add(body.body);
  writer.add(push.checkpoint);
  return std::move(writer).finish();
}

Result<Message> write(std::string_view group, const Cosig& cosig) {
  Writer writer(MessageType::cosig, group, {{"log", cosig.log}});
  writer.add(cosig.checkpoint);
  return std::move(writer).finish();
}

Result<Message> write(std::string_view group, const Get& get) {
  Writer writer(
      MessageType::get, group,
      {{"count", number(get.count)}, {"from", number(get.from)}, {"log", get.log}, {"what", name_of(get.what)}});
  return std::move(writer).finish();
}

Result<Message> write(std::string_view group, const EntryBody& body) {
  Writer writer(MessageType::body, group, {{"log", body.log}, {"seq", number(body.seq)}});
  writer.add(body.body);
  return std::move(writer).finish();
}

Result<Message> write(std::string_view group, const Proof& proof) {
  Writer writer(MessageType::proof, group, {{"log", proof.log}, {"size", number(proof.size)}});
  Bytes path;
  for (const Digest& hash : proof.path) append(path, hash);
  writer.add(path);
  writer.add(proof.checkpoint);
  return std::move(writer).finish();
}

// --- reading -----------------------------------------------------------------------------------------------------

/// A message taken apart: views into its payload.
struct Parts {
  Json head;
  std::vector<ByteView> parts;
};

Result<ByteView> take_part(ByteView& rest) {
  if (rest.size() < kLengthBytes) return malformed("a part has no length");
  const std::size_t length = read_be<std::uint32_t>(rest);
  if (rest.size() - kLengthBytes < length) return malformed("a part is cut off");
  const ByteView part = rest.subspan(kLengthBytes, length);
  rest = rest.subspan(kLengthBytes + length);
  return part;
}

Result<Parts> take_apart(ByteView payload) {
  if (payload.size() > kMaxMessageBytes)
    return fail(Errc::limit, fmt::format("A message of {} bytes; {} is the limit.", payload.size(), kMaxMessageBytes));
  TRY(const ByteView head, take_part(payload));
  TRY(Json object, log::parse_pjson(as_text(head), kMaxMessageHeadBytes));
  Parts read{std::move(object), {}};
  while (!payload.empty()) {
    if (read.parts.size() == kMaxParts) return malformed("it has too many parts");
    TRY(const ByteView part, take_part(payload));
    read.parts.push_back(part);
  }
  return read;
}

/// The members that every head has, and a limit for what a part may be.
class Reader {
 public:
  Reader(const Parts& parts, std::string_view group) : parts_(parts), head_(parts.head, "a message between replicas") {
    group_matches_ = head_.text("group", kGroupDigits) == group;
    head_.integer("v", kVersion, kVersion);
  }
  ObjectReader& head() { return head_; }
  std::string log() {
    std::string nick = head_.text("log", kMaxNickBytes);
    if (!log::is_nick(nick)) head_.refuse("\"log\" must be a nick");
    return nick;
  }
  std::uint64_t size(std::string_view key, std::int64_t least = 0) {
    return static_cast<std::uint64_t>(head_.integer(key, least, static_cast<std::int64_t>(log::kMaxTreeSize)));
  }
  /// The head is whole, and this is how many parts there must be.
  Status finish(std::size_t part_count) {
    TRY_STATUS(head_.finish());
    if (!group_matches_) return fail(Errc::protocol, "A message about the logs of another group.");
    if (parts_.parts.size() != part_count) return malformed("it has another number of parts than its head says");
    return {};
  }
  Result<std::string> text(std::size_t part, std::size_t limit_bytes) const {
    if (parts_.parts[part].size() > limit_bytes)
      return fail(Errc::limit, fmt::format("A part of a message has {} bytes; {} is the limit.",
                                           parts_.parts[part].size(), limit_bytes));
    return std::string(as_text(parts_.parts[part]));
  }
  Result<log::Body> body(std::size_t part) const {
    const ByteView bytes = parts_.parts[part];
    if (bytes.size() < kSaltBytes) return malformed("a body has no salt");
    if (bytes.size() - kSaltBytes > kMaxCarriedBodyBytes)
      return fail(Errc::limit, fmt::format("The body of an entry has {} bytes; {} is the limit.",
                                           bytes.size() - kSaltBytes, kMaxCarriedBodyBytes));
    log::Body body;
    std::ranges::copy(bytes.first(kSaltBytes), body.salt.begin());
    body.text = as_text(bytes.subspan(kSaltBytes));
    return body;
  }
  ByteView bytes(std::size_t part) const { return parts_.parts[part]; }

 private:
  const Parts& parts_;
  ObjectReader head_;
  bool group_matches_ = false;
};

Result<Content> read_heads(Reader& reader) {
  Heads heads;
  heads.answer = reader.head().boolean("answer");
  const std::vector<std::string> nicks = reader.head().texts("logs", log::kMaxGroupMembers, kMaxNickBytes);
  if (std::ranges::adjacent_find(nicks, std::greater_equal<>()) != nicks.end() ||
      !std::ranges::all_of(nicks, [](const std::string& nick) { return log::is_nick(nick); }))
    reader.head().refuse("\"logs\" must be nicks, ascending");
  TRY_STATUS(reader.finish(nicks.size()));
  for (std::size_t i = 0; i < nicks.size(); ++i) {
    TRY(std::string checkpoint, reader.text(i, log::kMaxCheckpointBytes));
    heads.logs.push_back({nicks[i], std::move(checkpoint)});
  }
  return heads;
}

/// The entries of a push that come with a body: ascending, and among its entries.
std::vector<std::uint64_t> read_body_places(ObjectReader& head, std::uint64_t from, std::uint64_t count) {
  std::vector<std::uint64_t> places;
  for (const Json& element : head.array("bodies", kMaxPushLeaves)) {
    const std::int64_t* seq = element.integer();
    const bool fits = seq != nullptr && *seq >= static_cast<std::int64_t>(from) &&
                      static_cast<std::uint64_t>(*seq) - from < count &&
                      (places.empty() || static_cast<std::uint64_t>(*seq) > places.back());
    if (!fits) {
      head.refuse("\"bodies\" must be numbers of its entries, ascending");
      return {};
    }
    places.push_back(static_cast<std::uint64_t>(*seq));
  }
  return places;
}

Result<Content> read_push(Reader& reader) {
  Push push;
  push.log = reader.log();
  push.from = reader.size("from");
  const auto count =
      static_cast<std::size_t>(reader.head().integer("count", 1, static_cast<std::int64_t>(kMaxPushLeaves)));
  if (push.from > log::kMaxTreeSize - count) reader.head().refuse("it reaches beyond the largest tree");
  const std::vector<std::uint64_t> places = read_body_places(reader.head(), push.from, count);
  TRY_STATUS(reader.finish(count + places.size() + 1));
  for (std::size_t i = 0; i < count; ++i) {
    TRY(std::string leaf, reader.text(i, log::kMaxEntryBytes));
    push.leaves.push_back(std::move(leaf));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    TRY(log::Body body, reader.body(count + i));
    push.bodies.push_back({places[i], std::move(body)});
  }
  TRY(push.checkpoint, reader.text(count + places.size(), log::kMaxCheckpointBytes));
  return push;
}

Result<Content> read_cosig(Reader& reader) {
  Cosig cosig{reader.log(), {}};
  TRY_STATUS(reader.finish(1));
  TRY(cosig.checkpoint, reader.text(0, log::kMaxCheckpointBytes));
  return cosig;
}

Result<Content> read_get(Reader& reader) {
  Get get;
  const std::string what = reader.head().text("what", kMaxNickBytes);
  for (const Get::What one : {Get::What::entries, Get::What::body, Get::What::prefix})
    if (what == name_of(one)) get.what = one;
  if (what != name_of(get.what)) reader.head().refuse("\"what\" is nothing that can be asked for");
  get.log = reader.log();
  get.from = reader.size("from");
  get.count = reader.size("count", 1);
  if (get.what != Get::What::entries && get.count != 1) reader.head().refuse("\"count\" must be 1");
  TRY_STATUS(reader.finish(0));
  return get;
}

Result<Content> read_body(Reader& reader) {
  EntryBody body;
  body.log = reader.log();
  body.seq = reader.size("seq");
  TRY_STATUS(reader.finish(1));
  TRY(body.body, reader.body(0));
  return body;
}

Result<Content> read_proof(Reader& reader) {
  Proof proof;
  proof.log = reader.log();
  proof.size = reader.size("size", 1);
  TRY_STATUS(reader.finish(2));
  const ByteView path = reader.bytes(0);
  if (path.size() % sizeof(Digest) != 0 || path.size() / sizeof(Digest) > log::kMaxProofHashes)
    return malformed("its path is not a proof of hashes");
  proof.path.resize(path.size() / sizeof(Digest));
  for (std::size_t i = 0; i < proof.path.size(); ++i)
    std::ranges::copy(path.subspan(i * sizeof(Digest), sizeof(Digest)), proof.path[i].begin());
  TRY(proof.checkpoint, reader.text(1, log::kMaxCheckpointBytes));
  return proof;
}

}  // namespace

std::optional<MessageType> message_type(std::uint8_t frame_type) {
  const auto type = static_cast<MessageType>(frame_type);
  switch (type) {
    case MessageType::push:
    case MessageType::proof:
    case MessageType::cosig:
    case MessageType::heads:
    case MessageType::get:
    case MessageType::body:
      return type;
  }
  return std::nullopt;
}

Result<Message> write_message(std::string_view group, const Content& content) {
  return std::visit([&](const auto& one) { return write(group, one); }, content);
}

Result<Content> parse_message(std::string_view group, const Message& message) {
  TRY(const Parts parts, take_apart(message.payload));
  Reader reader(parts, group);
  switch (message.type) {
    case MessageType::push:
      return read_push(reader);
    case MessageType::proof:
      return read_proof(reader);
    case MessageType::cosig:
      return read_cosig(reader);
    case MessageType::heads:
      return read_heads(reader);
    case MessageType::get:
      return read_get(reader);
    case MessageType::body:
      return read_body(reader);
  }
  return malformed("its type is not known");
}

Result<std::string> group_of(const Message& message) {
  if (message.payload.size() > kMaxMessageBytes) return fail(Errc::limit, "A message is longer than its limit.");
  ByteView rest = message.payload;
  TRY(const ByteView head, take_part(rest));
  TRY(const Json object, log::parse_pjson(as_text(head), kMaxMessageHeadBytes));
  const auto found = object.object()->find("group");
  const std::string* group = found == object.object()->end() ? nullptr : found->second.text();
  if (group == nullptr || group->size() != kGroupDigits || !from_hex(*group)) return malformed("it names no group");
  return *group;
}

}  // namespace parley::mirror
