// A chain of custody is taken whole and in order, or not at all; and the hashes of a file are those of its definition.
#include "evidence/custody.h"

#include "base/encoding.h"
#include "evidence/chunk_tree.h"
#include "vault/testing.h"

namespace parley::evidence {
namespace {

using vault::fails, vault::succeeds;

CustodyStep step_of(std::string note) {
  CustodyStep step;
  step.stage = Stage::examination;
  step.actor = "Ada";
  step.role = "analyst";
  step.note = std::move(note);
  step.hash_before = crypto::sha256(as_bytes("before"));
  return step;
}

std::vector<std::string> chain_of(std::size_t count) {
  std::vector<std::string> texts;
  Chain chain;
  for (std::size_t i = 0; i < count; ++i) {
    CustodyEntry entry = chain.next(step_of("step " + std::to_string(i)), 1'700'000'000 + static_cast<UnixSeconds>(i));
    const auto text = write_custody(entry);
    EXPECT_OK(text);
    chain.add(std::move(entry), *text);
    texts.push_back(*text);
  }
  return texts;
}

TEST(Custody, IsReadBackAsItWasWritten) {
  const auto texts = chain_of(5);
  const auto chain = read_chain(texts);
  ASSERT_OK(chain);
  ASSERT_EQ(chain->entries.size(), 5U);
  EXPECT_EQ(chain->entries[3].step, step_of("step 3"));
  EXPECT_EQ(chain->entries[3].prev, log::leaf_hash(as_bytes(texts[2])));
  std::vector<Digest> leaves;
  for (const std::string& text : texts) leaves.push_back(log::leaf_hash(as_bytes(text)));
  EXPECT_EQ(chain->root(), log::MerkleTree(leaves).root())
      << "the tree of RFC 6962 over the entries as they are written";
}

// A tool that colours what it prints must not lock the case that its words are noted in.
TEST(Custody, IsReadBackWhereEveryTextIsAsLongAsItMayBeAndWrittenAsLongAsThatCanBe) {
  const std::string longest(kMaxCustodyTextBytes, '\x1b');
  CustodyStep step = step_of("step");
  for (std::string* text : {&step.actor, &step.command, &step.location, &step.note, &step.role, &step.source_device,
                            &step.tool, &step.tool_sha256, &step.tool_version})
    *text = longest;
  CustodyEntry entry = Chain().next(step, 1'700'000'000);
  const auto text = write_custody(entry);
  ASSERT_OK(text);
  const auto chain = read_chain(std::vector{*text});
  ASSERT_OK(chain);
  EXPECT_EQ(chain->entries.front().step, step);
}

TEST(Custody, IsRefusedWithAnEntryLeftOutMovedRepeatedOrAltered) {
  const auto texts = chain_of(6);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(i);
    auto without = texts;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    if (i + 1 < texts.size()) {
      EXPECT_FAILS(read_chain(without), Errc::vault_damaged);
    }
    auto repeated = texts;
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(i), texts[i]);
    EXPECT_FAILS(read_chain(repeated), Errc::vault_damaged);
    if (i == 0) continue;
    auto moved = texts;
    std::swap(moved[i], moved[i - 1]);
    EXPECT_FAILS(read_chain(moved), Errc::vault_damaged);
    auto altered = texts;
    altered[i - 1].replace(altered[i - 1].find("Ada"), 3, "Eve");
    EXPECT_FAILS(read_chain(altered), Errc::vault_damaged) << "the next entry names another";
  }
}

// The last entry has no successor that names it: the root shows it (Cases keeps it sealed).
TEST(Custody, HasAnotherRootWhereTheLastEntryIsAlteredOrLeftOut) {
  const auto texts = chain_of(3);
  const Digest root = read_chain(texts)->root();
  auto altered = texts;
  altered.back().replace(altered.back().find("Ada"), 3, "Eve");
  EXPECT_NE(read_chain(altered)->root(), root);
  EXPECT_NE(read_chain(std::span(texts).first(2))->root(), root);
}

TEST(Custody, NeverGoesBackInTimeWhateverTheClockSays) {
  Chain chain;
  CustodyEntry first = chain.next(step_of("first"), 1'000);
  chain.add(first, *write_custody(first));
  EXPECT_EQ(chain.next(step_of("second"), 10).time, 1'000);
  auto early = chain.next(step_of("second"), 1'000);
  early.time = 999;
  const std::vector<std::string> texts{*write_custody(first), *write_custody(early)};
  EXPECT_FAILS(read_chain(texts), Errc::vault_damaged);
}

TEST(Custody, RefusesWhatNoProgramWrites) {
  const std::string good = chain_of(1).front();
  ASSERT_OK(read_custody(good));
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"v\":1", "\"v\":2"},
      {"examination", "torture"},
      {"\"seq\":0", "\"seq\":-1"},
      {"\"actor\":\"Ada\"", "\"actor\":\"\""},
      {"\"hash_after\":\"\"", "\"hash_after\":\"00\""},
      {"\"hash_after\":\"\"", "\"hash_after\":\"" + std::string(64, 'G') + "\""},
      {"\"note\":", "\"nota\":"},
      {"\"file\":0", "\"file\":\"0\""},
  };
  for (const auto& [from, to] : changes) {
    std::string altered = good;
    ASSERT_NE(altered.find(from), std::string::npos) << from;
    altered.replace(altered.find(from), from.size(), to);
    EXPECT_FALSE(read_custody(altered)) << to;
  }
  EXPECT_FALSE(read_custody(""));
  EXPECT_FALSE(read_custody(good + " "));
  CustodyEntry entry;
  entry.step = step_of(std::string(kMaxCustodyTextBytes + 1, 'x'));
  EXPECT_FAILS(write_custody(entry), Errc::usage);
  entry.step = step_of("\xff");
  EXPECT_FAILS(write_custody(entry), Errc::usage);
  entry.step = {};
  EXPECT_FAILS(write_custody(entry), Errc::usage);
}

TEST(FileHasher, GivesTheSha256AndTheTreeOverChunksOfAMebibyteHoweverTheContentComes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kTreeChunkBytes - 1, kTreeChunkBytes,
                                 kTreeChunkBytes + 1, 3 * kTreeChunkBytes + 17}) {
    SCOPED_TRACE(size);
    Bytes content(size);
    for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::byte>(i * 31 + i / 255);
    std::vector<Digest> leaves;
    for (std::size_t begin = 0; begin < size; begin += kTreeChunkBytes)
      leaves.push_back(log::leaf_hash(ByteView(content).subspan(begin, std::min(kTreeChunkBytes, size - begin))));
    const FileHashes expected{size, crypto::sha256(content), log::MerkleTree(leaves).root()};
    for (const std::size_t piece : {std::size_t{977}, std::size_t{65'536}, std::size_t{5} << 20}) {
      FileHasher hasher;
      for (std::size_t begin = 0; begin < size; begin += piece)
        hasher.update(ByteView(content).subspan(begin, std::min(piece, size - begin)));
      EXPECT_EQ(hasher.finish(), expected) << piece;
    }
  }
}

}  // namespace
}  // namespace parley::evidence
