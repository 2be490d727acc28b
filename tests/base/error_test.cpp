#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string_view>

namespace parley {
namespace {

constexpr Errc kAllCodes[] = {Errc::usage,         Errc::not_found,    Errc::exists,      Errc::io,
                              Errc::format,        Errc::limit,        Errc::unsupported, Errc::passphrase,
                              Errc::vault_damaged, Errc::vault_locked, Errc::key_weak,    Errc::key_permissions,
                              Errc::signature,     Errc::peer_unknown, Errc::peer_gone,   Errc::protocol,
                              Errc::skew,          Errc::policy,       Errc::refused,     Errc::mark,
                              Errc::cancelled,     Errc::internal};

TEST(ErrorCode, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Errc code : kAllCodes) {
    const std::string_view name = name_of(code);
    EXPECT_TRUE(name.starts_with("E_")) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::internal) + 1) << "a code is missing from this test";
}

TEST(ErrorCode, ThatDoesNotExistIsInternal) {
  EXPECT_STREQ(name_of(static_cast<Errc>(999)), "E_INTERNAL");
}

TEST(Error, SaysWhereAndWhat) {
  EXPECT_EQ((Error{Errc::format, "A comma is due.", "line 3"}.text()), "line 3: A comma is due.");
  EXPECT_EQ((Error{Errc::format, "A comma is due.", ""}.text()), "A comma is due.");
}

TEST(Error, IsPlacedFromTheInsideOut) {
  const Error error = Error{Errc::format, "A comma is due.", ""}.at("byte 7").at("line 3").at("a.csv");
  EXPECT_EQ(error.text(), "a.csv, line 3, byte 7: A comma is due.");
  EXPECT_EQ(error.code, Errc::format);
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::format, "An even number is due.", "here");
  return number / 2;
}

Result<std::string> quarter(int number, int& steps) {
  TRY(const int once, half(number));
  ++steps;
  TRY(const int twice, half(once));
  ++steps;
  return std::to_string(twice);
}

TEST(Try, GivesTheValueOrLeavesWithTheError) {
  const struct {
    int number;
    int steps;
    const char* value;  ///< nullptr: it fails
  } cases[] = {{8, 2, "2"}, {6, 1, nullptr}, {3, 0, nullptr}};
  for (const auto& c : cases) {
    int steps = 0;
    const auto result = quarter(c.number, steps);
    EXPECT_EQ(steps, c.steps) << c.number;
    ASSERT_EQ(result.has_value(), c.value != nullptr) << c.number;
    if (result) {
      EXPECT_EQ(*result, c.value);
    } else {
      EXPECT_EQ(result.error().code, Errc::format);
      EXPECT_EQ(result.error().text(), "here: An even number is due.");
    }
  }
}

Result<std::unique_ptr<int>> owned(bool there) {
  if (!there) return fail(Errc::not_found, "Nothing is there.");
  return std::make_unique<int>(5);
}

Result<int> read_owned(bool there) {
  TRY(auto pointer, owned(there));
  TRY(pointer, owned(there));  // into a variable that is there already
  return *pointer;
}

TEST(Try, MovesWhatCannotBeCopied) {
  EXPECT_EQ(read_owned(true).value(), 5);
  EXPECT_EQ(read_owned(false).error().code, Errc::not_found);
}

Status all_even(std::initializer_list<int> numbers, int& seen) {
  for (const int number : numbers) {
    TRY_STATUS(half(number));
    ++seen;
  }
  return {};
}

TEST(TryStatus, GoesOnOrLeavesWithTheError) {
  int seen = 0;
  EXPECT_TRUE(all_even({2, 4, 6}, seen));
  EXPECT_EQ(seen, 3);
  seen = 0;
  const Status status = all_even({2, 3, 4}, seen);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::format);
  EXPECT_EQ(seen, 1);
}

int evaluations = 0;
Status counted() {
  ++evaluations;
  return {};
}
Status once() {
  TRY_STATUS(counted());
  return {};
}

TEST(TryStatus, EvaluatesItsExpressionOnce) {
  evaluations = 0;
  EXPECT_TRUE(once());
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace parley
