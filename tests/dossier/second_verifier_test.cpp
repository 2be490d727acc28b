// tools/verify_dossier.py, which shares no code with this program, comes to the same outcome on the same files.
#include "dossier/second_verifier.h"

#include <random>

#include "dossier/samples.h"
#include "dossier/synthetic.h"
#include "log/tlog_proof.h"
#include "support/crafted_signature.h"

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
  std::vector<std::string> commands;
  for (const auto& [text, anchor] : samples().dossiers) {
    const std::size_t i = commands.size();
    std::string bits;
    for (const std::size_t bit : bits_to_flip(text, kFlipsOfEach, dice)) bits += fmt::format("{}\n", bit);
    commands.push_back(fmt::format("{0}/tests/dossier/flip_bits.py {0}/tools/verify_dossier.py {1} {2} < {3}",
                                   PARLEY_SOURCE, file(fmt::format("{}.parley", i), text), to_hex(*anchor.charter),
                                   file(fmt::format("{}.bits", i), bits)));
  }
  for (const auto& lines : run_python_at_once(commands))
    EXPECT_EQ(lines, (std::vector<std::string>{"verified\n"})) << "bits that it takes when flipped, of seed " << seed;
}

TEST_F(SecondVerifier, RefusesASignatureWithANonceOfZeroAsTheFirstDoes) {
  const SyntheticGroup made(group::charter_of(3), 1);
  Dossier dossier = *parse_dossier(made.dossier({"alpha", "bravo"}, {"alpha", "bravo"}));
  log::Note note = *log::parse_note(dossier.finding);
  const Secret<32>& alphas = group::test_member("alpha").card_seeds.id;
  const crypto::Signature crafted = crafted_signature(alphas, as_bytes(note.text), {}, neutral_point());
  note.signatures[0].signature.assign(crafted.begin(), crafted.end());
  dossier.finding = log::write_note(note);
  const std::string text = write_dossier(dossier);
  EXPECT_FALSE(verify_dossier(text, made.anchor()).holds);
  const auto second = run(fmt::format("{} --charter {}", file("d.parley", text), to_hex(*made.anchor().charter)));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0].find("refused: a signature of parley.local/m/alpha/id does not verify"), std::string::npos)
      << second[0];
}

TEST_F(SecondVerifier, TakesFilesOfTheSameLength) {
  const auto of_size = [](std::size_t bytes) { return "{\"a\":\"" + std::string(bytes - 9, 'x') + "\"}\n"; };
  for (const std::size_t bytes : {kMaxDossierBytes, kMaxDossierBytes + 1}) {
    const std::string text = of_size(bytes);
    ASSERT_EQ(text.size(), bytes);
    const auto first = parse_dossier(text);
    const auto second = run(file("d.parley", text));
    ASSERT_FALSE(first);
    ASSERT_EQ(second.size(), 1u);
    const bool is_too_long = bytes > kMaxDossierBytes;
    EXPECT_EQ(first.error().code == Errc::limit, is_too_long) << first.error().text();
    EXPECT_EQ(second[0].find("longer than a dossier may be") != std::string::npos, is_too_long) << second[0];
  }
}

TEST_F(SecondVerifier, RefusesManySmallValuesAndLongNumbersBeforeItMakesThemAsTheFirstDoes) {
  std::string ones = "{\"a\":[1", brackets = "{\"a\":[[]", texts = "{\"a\":[\",[{\"";
  for (std::size_t i = 1; i < kMaxDossierValues - 2; ++i) {
    ones += ",1";
    brackets += ",[]";
    texts += ",\"\"";
  }
  for (const std::string& values : {ones, brackets, texts}) {
    // One value more than the largest dossier has; then as many as it has.
    for (const auto& [text, is_too_much] : {std::pair(values + ",1]}\n", true), std::pair(values + "]}\n", false)}) {
      const auto first = parse_dossier(text);
      const auto second = run(file("d.parley", text));
      ASSERT_FALSE(first);
      ASSERT_EQ(second.size(), 1u);
      EXPECT_EQ(first.error().text().find("more than 25919 values") != std::string::npos, is_too_much)
          << first.error().text();
      EXPECT_EQ(second[0].find("more values than it may have") != std::string::npos, is_too_much) << second[0];
    }
  }
  const std::string number = "{\"a\":" + std::string(std::size_t{30} << 20, '9') + "}\n";
  EXPECT_FALSE(parse_dossier(number));
  const auto second = run(file("d.parley", number));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0].find("a number that PJ1 does not have"), std::string::npos) << second[0].substr(0, 200);
}

TEST_F(SecondVerifier, RefusesATextWithoutAnEndAsSoonAsTheFirstDoes) {
  for (const std::string_view last : {"\n", "\\\n"}) {
    std::string text = "{\"a\":\"" + std::string(2 * kMaxDossierValues, ',');
    for (std::size_t i = 0; i < 1'000'000; ++i) text += "\\\"";
    text += last;
    EXPECT_FALSE(parse_dossier(text));
    const auto second = run(file("d.parley", text));  // which looks at each character once, or is there for days
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(outcome(second[0]), "refused") << second[0].substr(0, 200);
  }
}

/// Parts of genuine dossiers left out, put in twice, swapped and taken from another one, at random: what is left of the
/// text is canonical, so that both have to look at what it means.
TEST_F(SecondVerifier, AgreesWithTheFirstOnDossiersPutTogetherAtRandom) {
  std::mt19937_64 dice(20261128);
  std::vector<Dossier> genuine;
  for (const auto& sample : samples().dossiers) genuine.push_back(*parse_dossier(sample.first));
  std::vector<std::string> files, expected;
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
    files.push_back(file(fmt::format("{}.parley", i), text));
    expected.emplace_back(verify_dossier(text, anchor).holds ? "verified" : "refused");
  }
  const auto lines = run_all(files, fmt::format("--charter {}", to_hex(*anchor.charter)));
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(outcome(lines[i]), expected[i]) << lines[i];
  EXPECT_GT(std::ranges::count(expected, "refused"), 50);
}

// That the first one has them, too, is in tests/base/text_test.cpp.
TEST_F(SecondVerifier, TakesForHiddenThoseRangesThatTheTableOfUnicodeNames) {
  std::ifstream table(PARLEY_VECTORS "/unicode/hidden.tsv");
  std::vector<std::string> ranges;
  for (std::string line; std::getline(table, line);) {
    std::uint32_t first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%x\t%x\t", &first, &last) == 2)
      ranges.push_back(fmt::format("{:x} {:x}\n", first, last));
  }
  EXPECT_EQ(ranges.size(), 22u);
  EXPECT_EQ(run_python(fmt::format("-c 'import sys; sys.path.insert(0, \"{}/tools\"); import verify_dossier as second; "
                                   "[print(\"%x %x\" % one) for one in second.HIDDEN_RANGES]'",
                                   PARLEY_SOURCE),
                       "PYTHONDONTWRITEBYTECODE=1"),
            ranges);
}

}  // namespace
}  // namespace parley::dossier
