// parley log and parley verify, over the vault of a member whose logs a replica has written.
#include <gmock/gmock.h>

#include "base/encoding.h"
#include "log/fault.h"
#include "log/member.h"
#include "log/tile.h"
#include "mirror/replica.h"
#include "mirror/vault_store.h"
#include "support/member.h"

namespace parley::program {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;
const std::string kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";

/// Alpha, a member with a vault, and bravo, whose replica lives in a vault of its own; both logs are in alpha's vault.
class LogCommands : public testing::Test {
 protected:
  LogCommands() {
    bravo_unlock_.key_file = random_secret<32>();
    std::filesystem::create_directory(folder_ / "bravo");
    EXPECT_TRUE(vault::Vault::create(folder_ / "bravo", bravo_unlock_).has_value());
    auto alphas = vault::Vault::open(alpha_.home(), alpha_.unlock());
    auto bravos = vault::Vault::open(folder_ / "bravo", bravo_unlock_);
    if (!alphas || !bravos) throw std::runtime_error("no vault");
    mirror::VaultStore alpha_store(**alphas, kGroup, keys_, 0), bravo_store(**bravos, kGroup, keys_, 1);
    auto alpha_guard = *mirror::FileGuard::open(folder_ / "alpha-signed");
    auto bravo_guard = *mirror::FileGuard::open(folder_ / "bravo-signed");
    auto alpha = open(0, alpha_store, alpha_guard), bravo = open(1, bravo_store, bravo_guard);
    alpha->connected("bravo");
    bravo->connected("alpha");
    exchange(*alpha, *bravo);
    append(*alpha, log::kLogOpen, {"*"}, "opened");
    append(*bravo, log::kLogOpen, {"*"}, "opened");
    append(*alpha, log::kHeads, {}, "for nobody");
    append(*bravo, log::kHeads, {"alpha"}, "for \x1b alpha");
    for (int i = 0; i < 300; ++i) append(*alpha, log::kHeads, {}, "more");
    exchange(*alpha, *bravo);
    EXPECT_TRUE(alpha->flush().has_value());
  }
  std::unique_ptr<mirror::Replica> open(std::size_t self, mirror::Store& store, mirror::Guard& guard) {
    auto opened = mirror::Replica::open(
        {.id = kGroup, .members = keys_, .self = self, .charter = {}},
        mirror::OwnSeeds{members_[self].node.clone(), members_[self].log.clone(), members_[self].cosign.clone()}, store,
        guard);
    if (!opened) throw std::runtime_error(opened.error().text());
    return std::move(*opened);
  }
  static void append(mirror::Replica& replica, std::string_view type, std::vector<std::string> audience,
                     const std::string& text) {
    const auto done = replica.append({.type = std::string(type),
                                      .session = {},
                                      .refs = {},
                                      .audience = std::move(audience),
                                      .body = log::Json::Object{{"text", text}, {"v", 1}}},
                                     kNow);
    if (!done) throw std::runtime_error(done.error().text());
  }
  static void exchange(mirror::Replica& one, mirror::Replica& other) {
    for (bool spoke = true; spoke;) {
      spoke = hand_over(one, "alpha", other, "bravo");
      spoke = hand_over(other, "bravo", one, "alpha") || spoke;
    }
  }
  static bool hand_over(mirror::Replica& from, std::string_view sender, mirror::Replica& to,
                        std::string_view receiver) {
    const std::vector<mirror::Message> messages = from.to_send(receiver).value();
    for (const mirror::Message& message : messages) {
      const mirror::Outcome outcome = to.take(sender, message, kNow).value();
      for (const mirror::Message& reply : outcome.replies) EXPECT_TRUE(from.take(receiver, reply, kNow).has_value());
    }
    return !messages.empty();
  }
  std::string members_file() const {
    std::string text = "# two\n\n";
    for (const log::MemberKeys& member : keys_)
      text += "member " + member.nick + " " + member.node.text() + " " + member.log.text() + " " +
              member.cosign.text() + "\n";
    return alpha_.file("members", text);
  }
  Ended alone(std::vector<std::string> arguments) const {
    return run({.arguments = std::move(arguments), .working_folder = alpha_.folder()});
  }

  Member alpha_{"Alpha"};
  TemporaryFolder folder_;
  vault::Unlock bravo_unlock_;
  std::vector<log::TestMember> members_ = make_members();
  std::vector<log::MemberKeys> keys_{members_[0].keys, members_[1].keys};

 private:
  static std::vector<log::TestMember> make_members() {
    std::vector<log::TestMember> members;
    members.emplace_back("alpha");
    members.emplace_back("bravo");
    return members;
  }
};

TEST_F(LogCommands, ListEveryLogWithWhoHoldsIt) {
  const Json logs = alpha_.json({"log", "list"});
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(logs[0].at("member"), "alpha");
  EXPECT_EQ(logs[0].at("entries"), 302);
  EXPECT_EQ(logs[0].at("cosigned_by"), Json({"bravo"}));
  EXPECT_EQ(logs[1].at("entries"), 2);
  const Ended listed = alpha_.run({"log", "list"});
  EXPECT_THAT(listed.out, testing::HasSubstr("302 entries"));
  EXPECT_THAT(listed.err, testing::HasSubstr("Every member sees the headers"));
}

TEST_F(LogCommands, ShowEntriesWithTheBodiesThatAreOursAndNothingThatActsOnATerminal) {
  const Json entries = alpha_.json({"log", "show", "bravo"});
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[1].at("body").at("text"), "for \x1b alpha");
  const std::string text = alpha_.output({"log", "show", "bravo", "--from", "1"});
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(text, testing::HasSubstr("for alpha"));
  EXPECT_EQ(lines_of(alpha_.output({"log", "show", "alpha", "--from", "300", "--count", "1"})).size(), 2u);
  EXPECT_SAYS(alpha_.run({"log", "show", "zulu"}), 1, "no log of zulu");
}

TEST_F(LogCommands, ProveAnEntryToSomebodyWithoutAVault) {
  alpha_.output({"log", "prove", "alpha:7", "--out", "shown"});
  const Ended policy = alone({"log", "policy", "alpha", "--members", members_file()});
  ASSERT_EQ(policy.code, 0) << policy.err;
  alpha_.file("policy", policy.out);
  const std::vector<std::string> check{"log", "verify", "shown.tlog-proof", "shown.entry", "--policy", "policy"};
  const Ended verified = alone(check);
  EXPECT_SAYS(verified, 0, "Not proven");
  EXPECT_THAT(verified.out, testing::HasSubstr("entry 7 of parley.example/g/7d1f3c90/m/alpha"));
  EXPECT_THAT(verified.out, testing::HasSubstr("held by: bravo"));
  // Another entry, another log, a byte changed.
  alpha_.output({"log", "prove", "alpha:8", "--out", "other"});
  EXPECT_EQ(alone({"log", "verify", "shown.tlog-proof", "other.entry", "--policy", "policy"}).code, 1);
  const Ended bravos = alone({"log", "policy", "bravo", "--members", members_file()});
  alpha_.file("bravos", bravos.out);
  EXPECT_EQ(alone({"log", "verify", "shown.tlog-proof", "shown.entry", "--policy", "bravos"}).code, 1);
  std::string entry = read_text(alpha_.folder() / "shown.entry");
  entry[30] ^= 1;
  alpha_.file("shown.entry", entry);
  EXPECT_EQ(alone(check).code, 1);
  EXPECT_SAYS(alpha_.run({"log", "prove", "alpha:7", "--out", "shown"}), 1, "there already");
  EXPECT_SAYS(alpha_.run({"log", "prove", "alpha:302"}), 1, "302 entries");
  EXPECT_SAYS(alpha_.run({"log", "prove", "alpha"}), 2, "LOG:NUMBER");
}

TEST_F(LogCommands, ExportALogAsStaticFiles) {
  EXPECT_EQ(alpha_.run({"log", "export", "alpha", "--to", "public"}).code, 0);
  const std::filesystem::path folder = alpha_.folder() / "public";
  const std::string note = read_text(folder / "checkpoint");
  const auto checkpoint = log::read_checkpoint(note, keys_[0].log);
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(checkpoint->size, 302u);
  // What somebody else makes of the files: leaves from the bundles, the root from the tiles.
  std::vector<Digest> hashes;
  for (const char* name : {"tile/entries/000", "tile/entries/001.p/46"}) {
    const std::string bundle = read_text(folder / name);
    const auto entries = log::parse_bundle(as_bytes(bundle), hashes.empty() ? 256 : 46);
    ASSERT_TRUE(entries.has_value()) << name;
    for (const std::string_view entry : *entries) hashes.push_back(log::leaf_hash(as_bytes(entry)));
  }
  EXPECT_EQ(log::MerkleTree(hashes).root(), checkpoint->root);
  struct Files : log::TileReader {
    std::filesystem::path folder;
    Result<Bytes> read_tile(const log::Tile& tile) override {
      return to_bytes(read_text(folder / log::tile_path(tile)));
    }
  } files;
  files.folder = folder;
  log::TileHashReader reader(files, 302);
  EXPECT_EQ(*log::tree_root(reader, 302), checkpoint->root);
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
    EXPECT_TRUE(file.is_directory() || read_text(file.path()).find("for nobody") == std::string::npos);
}

TEST_F(LogCommands, DeriveTheLogsAnewFromTheirSignatures) {
  const Ended sound = alpha_.run({"log", "fsck", "--members", members_file()});
  EXPECT_SAYS(sound, 0, "alpha: 302 entries, all as they were signed.");
  EXPECT_EQ(sound.out, "");
  // Keys that did not sign it.
  std::swap(keys_[0].node, keys_[1].node);
  const Ended foreign = alpha_.run({"log", "fsck", "--members", members_file()});
  EXPECT_EQ(foreign.code, 1);
  EXPECT_THAT(foreign.out, testing::HasSubstr("alpha\t0\t"));
  EXPECT_SAYS(alpha_.run({"log", "fsck", "--members", alpha_.file("bad", "member alpha x y z\n")}), 1, "line 1");
  EXPECT_SAYS(alpha_.run({"log", "fsck", "--members", alpha_.file("bad", "member alpha\n")}), 1, "single blanks");
}

TEST_F(LogCommands, SayWhatAFaultProvesAndWhatNot) {
  const log::Checkpoint one{keys_[1].log.name, 2, Digest{std::byte{1}}};
  const log::Checkpoint other{keys_[1].log.name, 2, Digest{std::byte{2}}};
  const auto fault = log::fault_of_checkpoints(members_[1].sign(one), members_[1].sign(other), keys_[1]);
  ASSERT_TRUE(fault.has_value());
  std::string text = log::write_fault(*fault);
  const std::string file = alpha_.file("fault", text);
  const Ended verified = alone({"verify", "fault", file, "--members", members_file()});
  EXPECT_SAYS(verified, 0, "rests on the keys");
  EXPECT_THAT(verified.out, testing::HasSubstr("verified: fork-roots against bravo"));
  EXPECT_THAT(verified.out, testing::HasSubstr("proves not: "));
  const Json json = Json::parse(alone({"verify", "fault", file, "--members", members_file(), "--json"}).out);
  EXPECT_EQ(json.at("accused"), "bravo");
  text[text.size() / 2] ^= 1;
  EXPECT_EQ(alone({"verify", "fault", alpha_.file("fault", text), "--members", members_file()}).code, 1);
}

TEST(LogOfAMember, InSeveralGroupsIsNamedByTheGroup) {
  const TwoMembers pair;
  form_group(pair.alpha(), "bravo", pair.bravo(), "alpha", "arena");
  for (const std::string group : {"joint", "arena"}) {
    pair.bravo().import(table({"url,http://" + group + ".example/"}), {}, group + ".csv");
    pair.answer({"--types", "url", "--group", group});
  }
  const Member& bravo = pair.bravo();
  EXPECT_SAYS(bravo.run({"log", "show", "bravo-cert"}), 2, "--group NAME");
  const std::string joint = bravo.output({"log", "show", "bravo-cert", "--group", "joint"});
  EXPECT_NE(joint, "");
  EXPECT_NE(joint, bravo.output({"log", "show", "bravo-cert", "--group", "arena"}));
  EXPECT_SAYS(bravo.run({"log", "show", "zulu", "--group", "arena"}), 1, "no log of zulu in arena");
  EXPECT_EQ(bravo.run({"log", "show", "bravo-cert", "--group", "nothing"}).code, 1);
  EXPECT_SAYS(bravo.run({"log", "prove", "bravo-cert:0"}), 2, "--group NAME");
  bravo.output({"log", "prove", "bravo-cert:0", "--group", "arena"});
  EXPECT_SAYS(bravo.run({"log", "export", "bravo-cert", "--to", "tiles"}), 2, "--group NAME");
  EXPECT_EQ(bravo.run({"log", "export", "bravo-cert", "--group", "arena", "--to", "tiles"}).code, 0);
  const Ended checked = bravo.run({"log", "fsck"});
  EXPECT_SAYS(checked, 0, "arena, bravo-cert: ");
  EXPECT_SAYS(checked, 0, "joint, bravo-cert: ");
}

TEST(LogQuota, IsSetInOnesOwnRulesAndShowsWhoseLogIsNotTakenAnyMore) {
  const TwoMembers pair;
  pair.alpha().import(table({"ipv4,198.51.100.7"}));
  pair.bravo().import(table({"ipv4,198.51.100.7"}));
  pair.answer({"--types", "ipv4"});
  EXPECT_EQ(pair.bravo().output({"log", "list"}).find("REFUSED"), std::string::npos);

  pair.bravo().output({"group", "policy", "joint", "--log-quota", "entries=1"});
  const std::string sentence = "Nothing more of the log of alpha-cert is taken: it has";
  EXPECT_NE(pair.bravo().output({"log", "list"}).find("REFUSED: " + sentence), std::string::npos);
  EXPECT_NE(pair.bravo().output({"group", "show", "joint"}).find("REFUSED: " + sentence), std::string::npos);
  EXPECT_NE(pair.bravo().output({"group", "show", "joint"}).find("of each other member's log: entries=1"),
            std::string::npos);
  for (const Json& log : pair.bravo().json({"log", "list"}))
    EXPECT_EQ(log.at("refused").is_null(), log.at("own").get<bool>());
  EXPECT_SAYS(pair.ask({"--types", "ipv4"}), 1, sentence);

  pair.bravo().output({"group", "policy", "joint", "--log-quota", "entries=1000,reserve=9007199254740991"});
  EXPECT_NE(pair.bravo().output({"log", "list"}).find("Make room"), std::string::npos);
  pair.bravo().output({"group", "policy", "joint", "--clear"});
  pair.answer({"--types", "ipv4"});
}

TEST(LogQuota, IsRefusedWhereItIsNone) {
  const TwoMembers pair;
  for (const std::string text : {"entries", "entries=", "entries=-1", "entries=x", "days=1", "entries=1,"})
    EXPECT_SAYS(pair.bravo().run({"group", "policy", "joint", "--log-quota", text}), 2, "no quota");
}

}  // namespace
}  // namespace parley::program
