// The bounds that the lengths of tags and elements must keep, computed from what a run really sends (psi.md 1.3, 2.4).
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "psi/intersect/layout.h"
#include "psi/limits.h"
#include "psi/two_parties.h"

namespace parley::psi {
namespace {

constexpr double kStatisticalBits = 40;     // lambda of psi.md 0.1, for a whole session
constexpr double kComputationalBits = 128;  // kappa of psi.md 0.1
constexpr std::size_t kCount = 3;

double bits_of(MessageType type) {
  const BothEnded ended =
      run_both(test_party(test_range(0, kCount), 1), test_party(test_range(0, kCount), 2), Reply::matched_tags);
  for (const Ended* side : {&ended.receiver, &ended.sender}) {
    for (const Message& message : side->sent) {
      if (message.type == type) return 8.0 * static_cast<double>(message.payload.size()) / kCount;
    }
  }
  return 0;
}

double log2_of_pairs() {
  return 2 * std::log2(static_cast<double>(kMaxElements));
}

// psi.md 1.3: a false match, by chance or by a sender that makes up tags, has at most n_x * n_y * 2^-bits.
TEST(FirstTags, AreLongEnoughThatNoWrongMatchArisesInTheLargestRun) {
  EXPECT_LE(log2_of_pairs() - bits_of(MessageType::tags), -kStatisticalBits);
}

// A receiver that sends min(n_x, n_y) invented second tags hits one of n_y with at most n_x * n_y * 2^-bits; the sender
// then ends the run, whose key is never used again.
TEST(SecondTags, AreLongEnoughThatNoInventedMatchIsTakenInTheLargestRun) {
  EXPECT_LE(log2_of_pairs() - bits_of(MessageType::matched_tags), -kStatisticalBits);
}

// One try of a single pair is as hard as breaking the group.
TEST(Tags, AreAsHardToGuessAsTheGroupIsToBreak) {
  EXPECT_GE(bits_of(MessageType::tags), kComputationalBits);
  EXPECT_GE(bits_of(MessageType::matched_tags), kComputationalBits);
}

// Two blinded elements of an honest receiver are equal with n_x^2 / 2 over the group order (2^252).
TEST(BlindedElements, NeverMeetByChanceSoThatRefusingRepetitionsHurtsNobody) {
  EXPECT_LE(log2_of_pairs() - 1 - 252, -kStatisticalBits);
  EXPECT_EQ(bits_of(MessageType::blinded), 256);
}

/// log2 of the number of ways to choose n of 2^64 hashes, times 2^(-128 (n - cells)): the chance that some n keys all
/// decode as a receiver of the fast protocol wants them to (Rindal and Schoppmann 2021, section 4).
double log2_chance_to_satisfy(double n, double cells) {
  return 64 * n - std::lgamma(n + 1) / std::numbers::ln2 - 128 * (n - cells);
}

TEST(FastReceiver, CanTestAsManyElementsAsTheFormulaSaysAndNoMore) {
  for (const std::size_t count :
       std::initializer_list<std::size_t>{256, 1024, 4096, 16'384, 65'536, 1'048'576, kMaxElements}) {
    const auto cells = static_cast<double>(Layout(count).shape.cells());
    const auto tests = static_cast<double>(fast_protocol()->receiver_tests(count));
    EXPECT_LE(log2_chance_to_satisfy(tests * 1.001, cells), -kStatisticalBits) << count;
    EXPECT_GE(log2_chance_to_satisfy(tests * 0.999, cells), -kStatisticalBits) << count;
    EXPECT_GE(tests, cells) << count;
  }
}

TEST(FastReceiver, CanTestLessThanTwoAndAHalfTimesItsElementsFromTheFewestOnThatItIsFor) {
  const auto fast = fast_protocol();
  EXPECT_EQ(fast->fewest_received(), 1024u);
  for (std::size_t count = fast->fewest_received(); count <= kMaxElements; count += count / 4)
    EXPECT_LT(fast->receiver_tests(count), count * 5 / 2) << count;
  EXPECT_LT(fast->receiver_tests(1'048'576), 1'048'576u * 201 / 100);
}

TEST(ClassicReceiver, TestsWhatItEntered) {
  for (const std::size_t count : std::initializer_list<std::size_t>{0, 1, 256, kMaxElements})
    EXPECT_EQ(classic_protocol()->receiver_tests(count), count);
  EXPECT_EQ(classic_protocol()->fewest_received(), 0u);
}

}  // namespace
}  // namespace parley::psi
