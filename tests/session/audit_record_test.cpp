// The record of a run is read as it was written, and nothing else is: it comes from somebody who wants to pass.
#include "session/audit_record.h"

#include <fmt/format.h>

#include "base/random.h"
#include "crypto/hash.h"
#include "psi/admission/admission.h"
#include "vault/testing.h"

namespace parley::session {
namespace {

using vault::fails, vault::succeeds;

const std::string kRecordedSession(32, 'a');

psi::Elements some_elements() {
  psi::Elements elements;
  for (int i = 0; i < 5; ++i)
    elements.push_back(
        indicator::Canonical::from_storage(indicator::Type::domain, fmt::format("d{}.example", i)).typed());
  return elements;
}

Secret<32> secret_of(std::uint8_t which) {
  Secret<32> secret;
  secret.expose_mutable()[0] = static_cast<std::byte>(which);
  return secret;
}

constexpr std::array kIpv4 = {indicator::Type::ipv4};

Bytes beginning(const psi::Elements& elements = some_elements(), std::span<const indicator::Type> by_tags = {},
                ByteView tags = {}) {
  Bytes bytes;
  record_beginning(kRecordedSession, Side::responder, secret_of(1), secret_of(2), elements, by_tags, tags,
                   [&](ByteView piece) { append(bytes, piece); });
  return bytes;
}

Bytes whole() {
  Bytes record = beginning();
  append(record, record_message(true, psi::MessageType::blinded, as_bytes("what was sent")));
  append(record, record_message(false, psi::MessageType::tags, as_bytes("what came")));
  append(record, as_bytes("what came"));
  append(record, record_message(false, psi::MessageType::proofs, {}));
  append(record, record_shares(secret_of(3), secret_of(4)).expose());
  return record;
}

Bytes frame(std::uint8_t kind, std::uint64_t length, ByteView content) {
  Bytes bytes{static_cast<std::byte>(kind)};
  append_be(bytes, length);
  append(bytes, content);
  return bytes;
}

Result<AuditRecord> read(ByteView bytes) {
  return read_audit_record({.read_exactly = [&bytes](MutableByteView out) -> Status {
                              if (out.size() > bytes.size()) return fail(Errc::format, "It ends too early.");
                              std::ranges::copy(bytes.first(out.size()), out.begin());
                              bytes = bytes.subspan(out.size());
                              return {};
                            },
                            .at_end = [&bytes]() -> Result<bool> { return bytes.empty(); }});
}

TEST(AuditRecord, IsReadAsItWasWritten) {
  const Bytes bytes = whole();
  const auto record = read(bytes);
  ASSERT_OK(record);
  EXPECT_EQ(record->session, kRecordedSession);
  EXPECT_EQ(record->side, Side::responder);
  EXPECT_TRUE(record->seed.equals(secret_of(1)));
  EXPECT_TRUE(record->salts.equals(secret_of(2)));
  ASSERT_EQ(record->set.elements.size(), 5U);
  EXPECT_EQ(to_bytes(record->set.elements[4]), to_bytes(some_elements()[4]));
  EXPECT_TRUE(record->set.by_tags.empty());
  EXPECT_EQ(to_bytes(record->set.entered()[4]), to_bytes(some_elements()[4]));
  ASSERT_EQ(record->messages.size(), 3U);
  EXPECT_TRUE(record->messages[0].sent);
  EXPECT_EQ(record->messages[0].size, 13U);
  EXPECT_EQ(record->messages[0].hash, crypto::sha256(as_bytes("what was sent")));
  EXPECT_TRUE(record->messages[0].payload.empty());
  EXPECT_FALSE(record->messages[1].sent);
  EXPECT_EQ(as_text(record->messages[1].payload), "what came");
  EXPECT_EQ(record->messages[1].hash, crypto::sha256(as_bytes("what came")));
  EXPECT_EQ(record->messages[2].size, 0U);
  ASSERT_TRUE(record->shares);
  EXPECT_TRUE(record->shares->theirs.equals(secret_of(4)));
}

TEST(AuditRecord, ThatIsCutOffIsRefusedUnlessItEndsBehindAFrame) {
  const Bytes bytes = whole();
  std::size_t whole_ones = 0;
  for (std::size_t keep = 0; keep < bytes.size(); ++keep) whole_ones += read(ByteView(bytes).first(keep)) ? 1 : 0;
  EXPECT_EQ(whole_ones, 4U) << "behind the tags and behind each message";
}

TEST(AuditRecord, WithWhatNoProgramWritesIsRefused) {
  const Bytes good = beginning();
  const Bytes head = record_message(true, psi::MessageType::blinded, {});
  const auto with = [&](const Bytes& more) {
    Bytes bytes = good;
    append(bytes, more);
    return bytes;
  };
  const std::map<std::string, Bytes> bad = {
      {"an unknown part", with(frame(9, 0, {}))},
      {"the head again", with(beginning())},
      {"a hash of another length", with(frame(4, 41, Bytes(41)))},
      {"a message without its type", with(frame(5, 1, Bytes(1)))},
      {"a message longer than any", with(frame(5, kMaxRecordedMessageBytes + 3, Bytes(100)))},
      {"a length of all ones", with(frame(5, ~std::uint64_t{0}, Bytes(100)))},
      {"half a result key", with(frame(6, 32, Bytes(32)))},
      {"something behind the result key",
       [&] {
         Bytes bytes = whole();
         append(bytes, head);
         return bytes;
       }()},
      {"a side that there is not",
       [&] {
         Bytes bytes = good;
         const std::string_view text = as_text(bytes);
         bytes[text.find("\"side\":1") + 7] = std::byte{'2'};
         return bytes;
       }()},
      {"another version",
       [&] {
         Bytes bytes = good;
         const std::string_view text = as_text(bytes);
         bytes[text.find("\"v\":1") + 4] = std::byte{'2'};
         return bytes;
       }()},
  };
  for (const auto& [what, bytes] : bad) EXPECT_FALSE(read(bytes)) << what;
}

psi::Elements of_two_types() {
  psi::Elements elements = some_elements();
  for (const char* address : {"192.0.2.1", "192.0.2.2"})
    elements.push_back(indicator::Canonical::from_storage(indicator::Type::ipv4, address).typed());
  return elements;
}

TEST(AuditRecord, HasTheTagsByWhichIndicatorsOfSomeTypesEntered) {
  const Bytes tags = to_bytes(random_bytes<64>());
  const auto record = read(beginning(of_two_types(), kIpv4, tags));
  ASSERT_OK(record);
  EXPECT_EQ(record->set.by_tags, std::vector{indicator::Type::ipv4});
  const psi::Elements entered = record->set.entered();
  ASSERT_EQ(entered.size(), 7U);
  EXPECT_EQ(to_bytes(entered[0]), to_bytes(some_elements()[0])) << "other types enter as they are";
  for (std::size_t i : {0U, 1U}) {
    const auto tag = ByteView(tags).subspan(i * 32).first<32>();
    EXPECT_EQ(to_bytes(entered[5 + i]), psi::admission::tagged_element(entered[5 + i][0], tag));
    EXPECT_EQ(entered[5 + i][0], of_two_types()[5 + i][0]);
  }
}

TEST(AuditRecord, WithMoreOrFewerTagsThanIndicatorsOfTheseTypesIsRefused) {
  for (const std::size_t length : {0U, 31U, 32U, 63U, 65U, 96U})
    EXPECT_FAILS(read(beginning(of_two_types(), kIpv4, Bytes(length))), Errc::format);
  EXPECT_FAILS(read(beginning(some_elements(), {}, Bytes(32))), Errc::format);
  EXPECT_OK(read(beginning(some_elements(), kIpv4)));
  EXPECT_FALSE(read(beginning(of_two_types(), std::array{indicator::Type::ipv4, indicator::Type::ipv4}, Bytes(64))));
  Bytes unknown = beginning(some_elements(), kIpv4);
  unknown[as_text(unknown).find("ipv4") + 3] = std::byte{'5'};
  EXPECT_FALSE(read(unknown));
}

TEST(AuditRecord, WithAnElementThatIsTooLongOrCutOffIsRefused) {
  constexpr std::size_t kTagsFrameBytes = 1 + sizeof(std::uint64_t);
  const Bytes without = beginning(psi::Elements());  // its last frames have no elements and no tags
  const auto with_elements = [&](ByteView content) {
    Bytes bytes = to_bytes(ByteView(without).first(without.size() - kTagsFrameBytes - sizeof(std::uint64_t)));
    append_be(bytes, static_cast<std::uint64_t>(content.size()));
    append(bytes, content);
    append(bytes, frame(7, 0, {}));
    return bytes;
  };
  Bytes element{std::byte{4}, std::byte{0}, std::byte{3}, std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  ASSERT_OK(read(with_elements(element)));
  for (std::size_t keep = 1; keep < element.size(); ++keep)
    EXPECT_FAILS(read(with_elements(ByteView(element).first(keep))), Errc::format);
  Bytes longest(3 + 5'000, std::byte{'x'});
  longest[0] = std::byte{4};
  store_be(MutableByteView(longest).subspan(1, 2), std::uint16_t{5'000});
  EXPECT_FAILS(read(with_elements(longest)), Errc::format);
}

TEST(AuditRecord, WithMoreMessagesThanARunHasIsRefused) {
  Bytes bytes = beginning();
  const Bytes message = record_message(true, psi::MessageType::encoding, {});
  for (std::size_t i = 0; i < kMaxRecordedMessages; ++i) append(bytes, message);
  EXPECT_OK(read(bytes));
  append(bytes, message);
  EXPECT_FAILS(read(bytes), Errc::format);
}

}  // namespace
}  // namespace parley::session
