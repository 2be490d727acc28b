// Openings: what was committed to before a session can be opened afterwards, and nothing else can.
#include "session/opening.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/random.h"
#include "support/offered.h"

namespace parley::session {
namespace {

constexpr std::uint64_t kSetSize = 256;
constexpr std::uint64_t kIndex = 17;
constexpr std::string_view kOpenedSession = "00112233445566778899aabbccddeeff";

// A committed set of which item kIndex is an address with known context; the others are of no interest.
struct Committed {
  indicator::Canonical indicator = indicator::Canonical::from_storage(indicator::Type::ipv4, "198.51.100.7");
  Digest label = input_label(kOpenedSession, Side::asker);
  ContextFields fields = empty_fields();
  std::unique_ptr<Commitments> commitments;

  Committed() {
    fields[*field_index("malware")] = log::Json::Array{"Sednit"};
    fields[*field_index("first_seen")] = "2015-06-30T00:00:00Z";
    fields[*field_index("tlp")] = "green";
    const Secret<32> secret = random_secret<32>();
    // The commitments of one item depend on nothing but the secret, its position and itself.
    const std::vector<Digest> blank(kSetSize, Digest{});
    const ItemOpening item = Commitments(secret, blank, blank).opening(kIndex, kIndex, fields);
    std::vector<Digest> items(kSetSize), contexts(kSetSize);
    for (std::uint64_t i = 0; i < kSetSize; ++i) items[i] = contexts[i] = log::leaf_hash(random_bytes<32>());
    const Digest commitment = log::item_commitment(item.salt, "ipv4", as_bytes(indicator.value()));
    items[kIndex] = item_leaf(label, commitment);
    contexts[kIndex] = context_leaf(label, commitment, field_commitments(item.fields));
    commitments = std::make_unique<Commitments>(secret, items, contexts);
  }

  Opening open(const std::vector<std::size_t>& opened) const {
    return make_opening(indicator, commitments->opening(kIndex, kIndex, fields), Side::asker, kSetSize, opened);
  }
  // `session`: in which the roots are said to have been committed to.
  Status check(const Opening& opening, std::string_view session = kOpenedSession) const {
    return check_opening(opening, session, commitments->items_root(), commitments->context_root());
  }
};

const std::vector<std::size_t> kMalwareAndTlp = {*field_index("malware"), *field_index("tlp")};

TEST(Opening, OfACommittedItemIsAccepted) {
  const Committed set;
  const Status checked = set.check(set.open(kMalwareAndTlp));
  EXPECT_TRUE(checked) << checked.error().text();
}

TEST(Opening, OfAnItemAloneShowsThatItWasInTheSetAndNothingOfItsContext) {
  const Committed set;
  const Opening opening = set.open({});
  EXPECT_TRUE(set.check(opening));
  EXPECT_TRUE(opening.commitments.empty());
  EXPECT_TRUE(opening.context_path.empty());
  Opening other = opening;
  other.indicator = indicator::Canonical::from_storage(indicator::Type::ipv4, "198.51.100.8");
  EXPECT_FALSE(set.check(other));
}

TEST(Opening, ShowsTheOpenedFieldsAndNoOthers) {
  const Committed set;
  const auto context = opened_context(set.open(kMalwareAndTlp));
  ASSERT_TRUE(context);
  EXPECT_EQ(log::write_pjson(*context), R"({"malware":["Sednit"],"tlp":"green"})");
}

TEST(Opening, SurvivesTheWire) {
  const Committed set;
  const std::string text = write_opening(set.open(kMalwareAndTlp));
  const auto back = read_opening(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(set.check(*back));
  EXPECT_EQ(write_opening(*back), text);
}

TEST(Opening, IsRefusedWhenAnythingInItIsNotWhatWasCommittedTo) {
  const Committed set;
  const Opening honest = set.open(kMalwareAndTlp);
  const auto flip = [](Digest& digest) { digest[5] ^= std::byte{1}; };
  std::vector<std::pair<const char*, Opening>> wrong;
  const auto add = [&](const char* what, auto change) {
    Opening opening = honest;
    change(opening);
    wrong.emplace_back(what, std::move(opening));
  };
  add("another value",
      [](Opening& o) { o.indicator = indicator::Canonical::from_storage(indicator::Type::ipv4, "198.51.100.8"); });
  add("another type",
      [](Opening& o) { o.indicator = indicator::Canonical::from_storage(indicator::Type::domain, "198.51.100.7"); });
  add("another index", [](Opening& o) { ++o.index; });
  add("an index outside the set", [](Opening& o) { o.index += kSetSize; });
  add("another size", [](Opening& o) { o.size = 2 * kSetSize; });
  add("another side", [](Opening& o) { o.side = Side::responder; });
  add("another item salt", [&](Opening& o) { flip(o.salt); });
  add("another path", [&](Opening& o) { flip(o.items_path[0]); });
  add("a shorter path", [](Opening& o) { o.items_path.pop_back(); });
  add("a longer path", [](Opening& o) { o.items_path.emplace_back(); });
  add("another context path", [&](Opening& o) { flip(o.context_path[3]); });
  add("another field commitment", [&](Opening& o) { flip(o.commitments[0]); });
  add("a missing field commitment", [](Opening& o) { o.commitments.pop_back(); });
  add("another opened value", [](Opening& o) { o.fields[0].opening.json = R"(["Turla"])"; });
  add("another opened salt", [&](Opening& o) { flip(o.fields[0].opening.salt); });
  add("a value opened under another field", [](Opening& o) { o.fields[0].field = *field_index("actor"); });
  for (const auto& [what, opening] : wrong) {
    const Status checked = set.check(opening);
    EXPECT_FALSE(checked) << what;
    if (!checked) {
      EXPECT_EQ(checked.error().code, Errc::protocol) << what;
    }
  }
}

// PARLEY_ALTERED_OPENINGS changes the number, PARLEY_SEED what is tried.
TEST(Opening, IsRefusedInAHundredThousandAlteredForms) {
  const auto from_environment = [](const char* name, std::uint64_t otherwise) {
    const char* wanted = std::getenv(name);
    return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : otherwise;
  };
  std::mt19937_64 random(from_environment("PARLEY_SEED", 20261128));
  const std::uint64_t wanted = from_environment("PARLEY_ALTERED_OPENINGS", 100'000);
  const Committed set;
  const std::string honest = write_opening(set.open(kMalwareAndTlp));
  const auto as_opened = read_opening(honest);
  ASSERT_TRUE(as_opened);
  std::uint64_t tried = 0, read = 0, accepted = 0;
  while (tried < wanted) {
    std::string text = honest;
    for (std::uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << (random() % 8)));
          break;
        case 1:
          text[at] = "0123456789abcdef"[random() % 16];
          break;
        case 2:
          std::swap(text[at], text[random() % text.size()]);
          break;
        default:
          text.replace(at, std::min<std::size_t>(64, text.size() - at), text.substr(random() % text.size(), 64));
      }
    }
    if (text == honest) continue;
    ++tried;
    const auto opening = read_opening(text);
    read += opening ? 1 : 0;
    // A reveal compares side and size with those of the session; a path says nothing of them.
    const bool is_of_the_set = opening && opening->side == as_opened->side && opening->size == as_opened->size;
    accepted += is_of_the_set && set.check(*opening) ? 1 : 0;
  }
  EXPECT_EQ(accepted, 0u) << "of " << tried;
  EXPECT_GT(read, tried / 10) << "too few of them get as far as the commitments";
}

TEST(Opening, IsRefusedUnderTheRootsOfAnotherSession) {
  const Committed set, other;
  EXPECT_FALSE(other.check(set.open(kMalwareAndTlp)));
}

// A side that copies the other's roots as its own commitment and sends the other's openings back.
TEST(Opening, IsRefusedWhenItIsTheEchoOfTheOtherSidesOwn) {
  const Committed ours;
  Opening echo = ours.open(kMalwareAndTlp);
  echo.side = Side::responder;
  EXPECT_FALSE(ours.check(echo));
}

TEST(Opening, IsRefusedUnderRootsThatWereCopiedFromAnotherSession) {
  const Committed ours;
  EXPECT_FALSE(ours.check(ours.open(kMalwareAndTlp), "ffeeddccbbaa99887766554433221100"));
}

TEST(Opening, TravelsWithItsPlaceInTheOffer) {
  const Committed set;
  const std::vector<std::string> texts{"first", write_opening(set.open(kMalwareAndTlp))};
  const log::OfferTree tree = log::offer_of(texts);
  const log::OfferedOpening offered{.index = 1, .path = tree.path(1), .text = texts[1]};
  const Bytes payload = write_offered(offered);
  const auto back = read_offered(payload, 1);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, offered);
  EXPECT_TRUE(back->is_in(tree.root(), 2));
  EXPECT_FALSE(read_offered(payload, 0)->is_in(tree.root(), 2)) << "in another's turn";
  EXPECT_FALSE(back->is_in(tree.root(), 1));
  Bytes too_many = payload;
  too_many[0] = std::byte{65};
  Bytes more_than_there_is = payload;
  more_than_there_is.resize(30);
  for (const Bytes& wrong : {Bytes{}, too_many, more_than_there_is, Bytes(200'000 + kMaxOpeningBytes, std::byte{0})})
    EXPECT_FALSE(read_offered(wrong, 1)) << wrong.size();
}

TEST(Opening, TextThatParleyDoesNotWriteIsRefused) {
  const Committed set;
  const std::string text = write_opening(set.open(kMalwareAndTlp));
  for (const std::string& wrong : {std::string("{}"), std::string(), std::string("[]"), text + " ",
                                   text.substr(0, text.size() - 1), std::string(kMaxOpeningBytes + 1, '{')})
    EXPECT_FALSE(read_opening(wrong)) << wrong.substr(0, 40);
}

TEST(Commitments, ComeBackFromTheVaultAsTheyWere) {
  const Committed set;
  const SecretBytes stored = set.commitments->serialize();
  const auto back = Commitments::restore(stored.expose());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->items_root(), set.commitments->items_root());
  EXPECT_EQ(back->context_root(), set.commitments->context_root());
  const Opening opening =
      make_opening(set.indicator, back->opening(kIndex, kIndex, set.fields), Side::asker, kSetSize, kMalwareAndTlp);
  EXPECT_TRUE(set.check(opening));
}

TEST(Commitments, ThatAreNotWholeAreRefused) {
  const Committed set;
  const SecretBytes stored = set.commitments->serialize();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{33}, stored.size() - 1, stored.size() - 32})
    EXPECT_FALSE(Commitments::restore(stored.expose().first(size))) << size;
}

}  // namespace
}  // namespace parley::session
