// tools/verify_dossier.py, which shares no code with this program, comes to the same outcome on the same files.
#include "dossier/second_verifier.h"

#include <random>

#include "dossier/samples.h"
#include "log/tlog_proof.h"

namespace parley::dossier {
namespace {

TEST_F(SecondVerifier, TakesWhatTheFirstTakes) {
  for (std::size_t i = 0; i < samples().dossiers.size(); ++i) {
    const auto& [text, anchor] = samples().dossiers[i];
    const std::string path = file(fmt::format("{}.parley", i), text);
    const auto anchored = run(fmt::format("{} --charter {}", path, to_hex(*anchor.charter)));
    ASSERT_EQ(anchored.size(), 1u);
    EXPECT_EQ(outcome(anchored[0]), "verified") << anchored[0];
    const auto without = run(path);
    ASSERT_EQ(without.size(), 1u);
    EXPECT_EQ(outcome(without[0]), "unanchored") << without[0];
  }
}

/// The flips that IsRefusedWithAnyBitFlipped (verify_test.cpp) asks the first verifier about.
TEST_F(SecondVerifier, RefusesTheFlippedBitsThatTheFirstRefuses) {
  const std::uint64_t seed = seed_of_flips();
  std::mt19937_64 dice(seed);
  for (const auto& [text, anchor] : samples().dossiers) {
    std::string bits;
    for (const std::size_t bit : bits_to_flip(text, kFlipsOfEach, dice)) bits += fmt::format("{}\n", bit);
    const auto lines =
        run_python(fmt::format("{}/tests/dossier/flip_bits.py {}/tools/verify_dossier.py {} {} < {}", PARLEY_SOURCE,
                               PARLEY_SOURCE, file("d.parley", text), to_hex(*anchor.charter), file("bits", bits)));
    EXPECT_EQ(lines, (std::vector<std::string>{"verified\n"})) << "bits that it takes when flipped, of seed " << seed;
  }
}

/// Parts of genuine dossiers left out, put in twice, swapped and taken from another one, at random: what is left of the
/// text is canonical, so that both have to look at what it means.
TEST_F(SecondVerifier, AgreesWithTheFirstOnDossiersPutTogetherAtRandom) {
  std::mt19937_64 dice(20261128);
  std::vector<Dossier> genuine;
  for (const auto& sample : samples().dossiers) genuine.push_back(*parse_dossier(sample.first));
  std::string files;
  std::vector<std::string> expected;
  const auto mix = [&](auto& list, const auto& other) {
    const std::size_t at = list.empty() ? 0 : dice() % list.size();
    switch (dice() % 4) {
      case 0:
        if (!list.empty()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        if (!list.empty()) list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), list[at]);
        break;
      case 2:
        if (list.size() > 1) std::swap(list[at], list[(at + 1) % list.size()]);
        break;
      default:
        if (!other.empty()) list.push_back(other[dice() % other.size()]);
    }
  };
  const Anchor& anchor = samples().dossiers[0].second;
  for (int i = 0; i < 120; ++i) {
    Dossier altered = genuine[0];
    const Dossier& other = genuine[dice() % genuine.size()];
    switch (dice() % 8) {
      case 0:
        mix(altered.cards, other.cards);
        break;
      case 1:
        mix(altered.charters, other.charters);
        break;
      case 2:
        mix(altered.checkpoints, other.checkpoints);
        break;
      case 3:
        mix(altered.entries, other.entries);
        break;
      case 4:
        mix(altered.dissents, other.dissents);
        break;
      case 5:
        mix(altered.openings, other.openings);
        break;
      case 6:
        altered.finding = other.finding;
        break;
      default:
        altered.stix = other.stix;
    }
    const std::string text = write_dossier(altered);
    files += " " + file(fmt::format("{}.parley", i), text);
    expected.emplace_back(verify_dossier(text, anchor).holds ? "verified" : "refused");
  }
  const auto lines = run(fmt::format("{} --charter {}", files, to_hex(*anchor.charter)));
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(outcome(lines[i]), expected[i]) << lines[i];
  EXPECT_GT(std::ranges::count(expected, "refused"), 50);
}

}  // namespace
}  // namespace parley::dossier
