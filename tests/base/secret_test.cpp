#include "base/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <type_traits>

namespace parley {
namespace {

constexpr std::byte kMark{0xa5};

Secret<32> marked_secret() {
  Secret<32> secret;
  std::ranges::fill(secret.expose_mutable(), kMark);
  return secret;
}

SecretBytes marked_bytes(std::size_t size_bytes) {
  SecretBytes secret(size_bytes);
  std::ranges::fill(secret.expose_mutable(), kMark);
  return secret;
}

bool is_wiped(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

template <typename T>
concept Prints = requires(std::ostream& out, const T& value) { out << value; };

template <typename T>
concept ComparesByOperator = requires(const T& a, const T& b) { a == b; };

// Whether a secret can leave by accident is decided when the program is compiled.
template <typename T>
class AnySecret : public testing::Test {};
using SecretTypes = testing::Types<Secret<16>, Secret<32>, Secret<64>, SecretBytes>;
TYPED_TEST_SUITE(AnySecret, SecretTypes);

TYPED_TEST(AnySecret, DoesNotPrint) {
  EXPECT_FALSE(Prints<TypeParam>);
  EXPECT_FALSE(fmt::is_formattable<TypeParam>::value);
}

TYPED_TEST(AnySecret, IsNotTakenForPublicBytesByAccident) {
  EXPECT_FALSE((std::is_convertible_v<const TypeParam&, ByteView>));
  EXPECT_FALSE((std::is_convertible_v<TypeParam&, MutableByteView>));
  EXPECT_FALSE((std::is_convertible_v<const TypeParam&, std::string_view>));
  EXPECT_FALSE((std::is_convertible_v<ByteView, TypeParam>));
}

TYPED_TEST(AnySecret, IsMovedAndNotCopied) {
  EXPECT_FALSE(std::is_copy_constructible_v<TypeParam>);
  EXPECT_FALSE(std::is_copy_assignable_v<TypeParam>);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<TypeParam>);
  EXPECT_TRUE(std::is_nothrow_move_assignable_v<TypeParam>);
}

TYPED_TEST(AnySecret, IsNotComparedInVariableTime) {
  EXPECT_FALSE(ComparesByOperator<TypeParam>);
}

TEST(Secret, IsZeroUntilItIsFilled) {
  EXPECT_TRUE(is_wiped(Secret<32>().expose()));
}

// Read through storage that outlives the secret; to the compiler its bytes are opaque, since libsodium wrote them last.
TEST(Secret, IsWipedWhenItGoes) {
  alignas(Secret<32>) std::array<std::byte, sizeof(Secret<32>)> storage;
  std::ranges::fill(storage, kMark);
  auto* secret = new (storage.data()) Secret<32>(marked_secret());
  ASSERT_FALSE(is_wiped(secret->expose()));
  secret->~Secret();
  EXPECT_TRUE(is_wiped(storage));
}

TEST(Secret, IsWipedWhereItWasMovedFrom) {
  Secret<32> source = marked_secret();
  const Secret<32> moved = std::move(source);
  EXPECT_TRUE(is_wiped(source.expose()));  // NOLINT(bugprone-use-after-move): that is what is promised
  EXPECT_TRUE(moved.equals(marked_secret()));

  Secret<32> again = marked_secret();
  Secret<32> assigned;
  assigned = std::move(again);
  EXPECT_TRUE(is_wiped(again.expose()));  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(assigned.equals(marked_secret()));
}

TEST(Secret, SurvivesAssignmentToItself) {
  Secret<32> secret = marked_secret();
  Secret<32>& same = secret;
  secret = std::move(same);
  EXPECT_TRUE(secret.equals(marked_secret()));
}

TEST(Secret, HasAsManyHoldersAsAreMadeOnPurpose) {
  Secret<32> first = marked_secret();
  const Secret<32> second = first.clone();
  first.wipe();
  EXPECT_TRUE(is_wiped(first.expose()));
  EXPECT_TRUE(second.equals(marked_secret()));
}

TEST(Secret, DiffersWhicheverBitDiffers) {
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Secret<32> other = marked_secret();
    other.expose_mutable()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(other.equals(marked_secret())) << bit;
  }
}

TEST(SecretBytes, ArePassedOnByMoving) {
  SecretBytes source = marked_bytes(100);
  SecretBytes moved = std::move(source);
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved.size(), 100u);
  SecretBytes assigned = marked_bytes(3);
  assigned = std::move(moved);
  EXPECT_TRUE(moved.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(assigned.size(), 100u);
  EXPECT_EQ(assigned.expose()[99], kMark);
}

TEST(SecretBytes, SurviveAssignmentToThemselves) {
  SecretBytes secret = marked_bytes(5);
  SecretBytes& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.size(), 5u);
}

TEST(SecretBytes, AreEmptyOnceWiped) {
  SecretBytes secret = marked_bytes(32);
  secret.wipe();
  EXPECT_TRUE(secret.empty());
  secret.wipe();
  EXPECT_TRUE(secret.expose().empty());
}

// The wiped memory still belongs to the vector, so it may be read: clear() keeps the capacity.
TEST(SecretBytes, AreWipedInMemoryBeforeTheyAreGivenBack) {
  SecretBytes secret = marked_bytes(32);
  const std::byte* const memory = secret.expose().data();
  secret.wipe();
  EXPECT_TRUE(is_wiped({memory, 32}));
}

TEST(ConstantTimeEqual, IsEqualityOfContentAndLength) {
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_TRUE(constant_time_equal(as_bytes("same"), as_bytes("same")));
  const std::pair<std::string_view, std::string_view> different[] = {
      {"same", "sane"},
      {"same", "same "},
      {"same", ""},
      {"", "a"},
      {std::string_view("a\0b", 3), std::string_view("a\0c", 3)}};
  for (const auto& [a, b] : different) EXPECT_FALSE(constant_time_equal(as_bytes(a), as_bytes(b))) << a << " " << b;
}

}  // namespace
}  // namespace parley
