#include "session/audit_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "log/pjson.h"
#include "psi/admission/admission.h"
#include "psi/limits.h"
#include "session/padding.h"

namespace parley::session {
namespace {

enum class FrameKind : std::uint8_t {
  head = 1,
  secrets = 2,
  elements = 3,
  sent = 4,
  received = 5,
  shares = 6,
  tags = 7
};

constexpr std::size_t kFrameHeadBytes = 1 + sizeof(std::uint64_t);
constexpr std::size_t kMaxHeadBytes = 1024;
constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::size_t kElementHeadBytes = 1 + sizeof(std::uint16_t);
constexpr std::size_t kSentBytes = sizeof(std::uint16_t) + sizeof(std::uint64_t) + sizeof(Digest);
constexpr std::size_t kSecretsBytes = 2 * Secret<32>::kSize;
constexpr std::size_t kPiece = 1 << 20;  // memory is taken in such pieces, as they arrive
constexpr std::int64_t kRecordVersion = 1;

Bytes frame_head(FrameKind kind, std::uint64_t length) {
  Bytes head;
  append_be(head, static_cast<std::uint8_t>(kind));
  append_be(head, length);
  return head;
}

std::unexpected<Error> broken(std::string_view what) {
  return fail(Errc::format, "This is no record of a session's run: " + std::string(what) + ".");
}

class Reader {
 public:
  explicit Reader(const RecordSource& source) : source_(source) {}

  Result<AuditRecord> read() {
    TRY_STATUS(read_head());
    TRY_STATUS(read_secrets());
    TRY_STATUS(read_elements());
    TRY_STATUS(read_tags());
    for (;;) {
      TRY(const bool ended, source_.at_end());
      if (ended) return std::move(record_);
      TRY_STATUS(read_next());
    }
  }

 private:
  struct Frame {
    FrameKind kind{};
    std::uint64_t length = 0;
  };
  Result<Frame> next_frame() {
    ByteArray<kFrameHeadBytes> head;
    TRY_STATUS(source_.read_exactly(head));
    return Frame{static_cast<FrameKind>(head[0]), read_be<std::uint64_t>(ByteView(head).subspan(1))};
  }
  Result<std::uint64_t> expect(FrameKind kind, std::uint64_t least, std::uint64_t most, std::string_view what) {
    TRY(const Frame frame, next_frame());
    if (frame.kind != kind) return broken(fmt::format("{} should stand where it has something else", what));
    if (frame.length < least || frame.length > most) return broken(fmt::format("the length of {} is impossible", what));
    return frame.length;
  }

  Status read_head() {
    TRY(const std::uint64_t length, expect(FrameKind::head, 2, kMaxHeadBytes, "its head"));
    Bytes text(length);
    TRY_STATUS(source_.read_exactly(text));
    TRY(const log::Json json, log::parse_pjson(as_text(text), kMaxHeadBytes));
    log::ObjectReader reader(json, "the head of a record");
    const auto by_tags = reader.texts("by_tags", indicator::kAllTypes.size(), kMaxTypeBytes);
    record_.session = reader.text("session", 32);
    record_.side = static_cast<Side>(reader.integer("side", 0, 1));
    reader.integer("v", kRecordVersion, kRecordVersion);
    if (std::ranges::adjacent_find(by_tags, std::greater_equal<>()) != by_tags.end())
      reader.refuse("its types must ascend, each once");
    for (const std::string& name : by_tags) {
      const auto type = indicator::type_named(name);
      if (!type) reader.refuse("it names a type of indicators that does not exist");
      record_.set.by_tags.push_back(type.value_or(indicator::Type::ipv4));
    }
    return reader.finish();
  }

  Status read_secrets() {
    TRY_STATUS(expect(FrameKind::secrets, kSecretsBytes, kSecretsBytes, "its seed"));
    TRY_STATUS(source_.read_exactly(record_.seed.expose_mutable()));
    return source_.read_exactly(record_.salts.expose_mutable());
  }

  // The frame is as long as its elements say of themselves.
  Status read_elements() {
    TRY(std::uint64_t left, expect(FrameKind::elements, 0, kLargestPadded * psi::kMaxElementBytes, "its elements"));
    Bytes element;
    while (left > 0) {
      if (left < kElementHeadBytes) return broken("its last element is cut off");
      if (record_.set.elements.size() == kLargestPadded) return broken("it has more elements than a session takes");
      element.resize(kElementHeadBytes);
      TRY_STATUS(source_.read_exactly(element));
      const std::size_t value_bytes = read_be<std::uint16_t>(ByteView(element).subspan(1));
      if (kElementHeadBytes + value_bytes > std::min<std::uint64_t>(left, psi::kMaxElementBytes))
        return broken("one of its elements is too long");
      element.resize(kElementHeadBytes + value_bytes);
      TRY_STATUS(source_.read_exactly(MutableByteView(element).subspan(kElementHeadBytes)));
      record_.set.elements.push_back(element);
      left -= element.size();
    }
    return {};
  }

  Status read_tags() {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < record_.set.elements.size(); ++i)
      count += record_.set.is_by_tag(record_.set.elements[i]) ? 1 : 0;
    const std::uint64_t length = count * psi::admission::kTagBytes;
    TRY_STATUS(expect(FrameKind::tags, length, length, "its tags"));
    Bytes& tags = record_.set.tags;
    while (tags.size() < length) {
      const std::size_t had = tags.size();
      tags.resize(std::min<std::uint64_t>(length, had + kPiece));
      TRY_STATUS(source_.read_exactly(MutableByteView(tags).subspan(had)));
    }
    return {};
  }

  Status read_next() {
    TRY(const Frame frame, next_frame());
    if (record_.shares) return broken("something follows its end");
    switch (frame.kind) {
      case FrameKind::sent:
      case FrameKind::received:
        return read_message(frame);
      case FrameKind::shares: {
        if (frame.length != kSecretsBytes) return broken("the length of its result key is impossible");
        record_.shares.emplace();
        TRY_STATUS(source_.read_exactly(record_.shares->ours.expose_mutable()));
        return source_.read_exactly(record_.shares->theirs.expose_mutable());
      }
      default:
        return broken("it has a part that this program does not know");
    }
  }

  Status read_message(const Frame& frame) {
    if (record_.messages.size() == kMaxRecordedMessages) return broken("it has more messages than a run has");
    psi::RecordedMessage message;
    message.sent = frame.kind == FrameKind::sent;
    if (message.sent && frame.length != kSentBytes) return broken("the length of a message's hash is impossible");
    if (frame.length < sizeof(std::uint16_t) || frame.length - sizeof(std::uint16_t) > kMaxRecordedMessageBytes)
      return broken("the length of one of its messages is impossible");
    ByteArray<sizeof(std::uint16_t)> type;
    TRY_STATUS(source_.read_exactly(type));
    message.type = static_cast<psi::MessageType>(read_be<std::uint16_t>(type));
    if (message.sent) {
      ByteArray<sizeof(std::uint64_t)> size;
      TRY_STATUS(source_.read_exactly(size));
      message.size = read_be<std::uint64_t>(size);
      TRY_STATUS(source_.read_exactly(message.hash));
    } else {
      message.size = frame.length - sizeof(std::uint16_t);
      while (message.payload.size() < message.size) {
        const std::size_t had = message.payload.size();
        message.payload.resize(std::min<std::uint64_t>(message.size, had + kPiece));
        TRY_STATUS(source_.read_exactly(MutableByteView(message.payload).subspan(had)));
      }
      message.hash = crypto::sha256(message.payload);
    }
    record_.messages.push_back(std::move(message));
    return {};
  }

  const RecordSource& source_;
  AuditRecord record_;
};

std::size_t put(SecretBytes& out, std::size_t at, ByteView bytes) {
  std::ranges::copy(bytes, out.expose_mutable().begin() + static_cast<std::ptrdiff_t>(at));
  return at + bytes.size();
}

}  // namespace

bool RecordedSet::is_by_tag(ByteView element) const {
  return std::ranges::any_of(by_tags, [&](indicator::Type type) { return element[0] == static_cast<std::byte>(type); });
}

psi::Elements RecordedSet::entered() const {
  psi::Elements run;
  std::size_t next_tag = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!is_by_tag(elements[i])) {
      run.push_back(elements[i]);
      continue;
    }
    const ByteView tag = ByteView(tags).subspan(next_tag, psi::admission::kTagBytes);
    next_tag += tag.size();
    run.push_back(psi::admission::tagged_element(elements[i][0], tag.first<psi::admission::kTagBytes>()));
  }
  return run;
}

Result<AuditRecord> read_audit_record(const RecordSource& source) {
  return Reader(source).read();
}

void record_beginning(std::string_view session, Side side, const Secret<32>& seed, const Secret<32>& salts,
                      const psi::Elements& elements, std::span<const indicator::Type> by_tags, ByteView tags,
                      const std::function<void(ByteView)>& out) {
  log::Json::Array types;
  for (const indicator::Type type : by_tags) types.emplace_back(indicator::name_of(type));
  const std::string head = log::write_pjson(log::Json::Object{{"by_tags", std::move(types)},
                                                              {"session", std::string(session)},
                                                              {"side", static_cast<std::int64_t>(side)},
                                                              {"v", kRecordVersion}});
  out(frame_head(FrameKind::head, head.size()));
  out(as_bytes(head));
  out(frame_head(FrameKind::secrets, kSecretsBytes));
  out(seed.expose());
  out(salts.expose());
  std::uint64_t element_bytes = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) element_bytes += elements[i].size();
  out(frame_head(FrameKind::elements, element_bytes));
  SecretBytes piece(kPiece);
  std::size_t filled = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (filled + elements[i].size() > kPiece) out(piece.expose().first(std::exchange(filled, 0)));
    filled = put(piece, filled, elements[i]);
  }
  out(piece.expose().first(filled));
  out(frame_head(FrameKind::tags, tags.size()));
  for (; !tags.empty(); tags = tags.subspan(std::min(tags.size(), kPiece)))
    out(tags.first(std::min(tags.size(), kPiece)));
}

Bytes record_message(bool sent, psi::MessageType type, ByteView payload) {
  Bytes frame = sent ? frame_head(FrameKind::sent, kSentBytes)
                     : frame_head(FrameKind::received, sizeof(std::uint16_t) + payload.size());
  append_be(frame, static_cast<std::uint16_t>(type));
  if (sent) {
    append_be(frame, static_cast<std::uint64_t>(payload.size()));
    append(frame, crypto::sha256(payload));
  }
  return frame;
}

SecretBytes record_shares(const Secret<32>& ours, const Secret<32>& theirs) {
  SecretBytes out(kFrameHeadBytes + kSecretsBytes);
  std::size_t at = put(out, 0, frame_head(FrameKind::shares, kSecretsBytes));
  at = put(out, at, ours.expose());
  put(out, at, theirs.expose());
  return out;
}

}  // namespace parley::session
