// Member and vault: who may open it, and what happens to one that is damaged.
#include "support/member.h"

#include <gmock/gmock.h>
#include <sodium.h>

#include "base/encoding.h"

namespace parley::program {
namespace {

using Files = std::map<std::string, std::string>;

// All files of a member's folder with their bytes, but for the lock, which names its last owner.
Files files_of(const std::filesystem::path& home) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(home))
    if (entry.path().filename() != "vault.lock") files[entry.path().filename()] = read_text(entry.path());
  return files;
}

Launch with_passphrase(const Member& member, const std::string& passphrase, std::vector<std::string> arguments) {
  Launch launch = member.launch(std::move(arguments));
  launch.environment.erase("PARLEY_KEY_FILE");
  launch.environment["PARLEY_PASSPHRASE"] = passphrase;
  return launch;
}

TEST(MemberFolder, OfAPassphraseOpensWithItAndWithNoOther) {
  const TemporaryFolder folder;
  Launch launch{.arguments = {"init", "Alpha"},
                .environment = {{"PARLEY_HOME", (folder / "home").string()}, {"PARLEY_PASSPHRASE", "correct horse"}}};
  ASSERT_EQ(run(launch).code, 0);
  const Files before = files_of(folder / "home");
  launch.arguments = {"peer", "list"};
  for (const char* wrong : {"correct hors", "correct horse ", "Correct horse", ""}) {
    launch.environment["PARLEY_PASSPHRASE"] = wrong;
    EXPECT_SAYS(run(launch), 1, "assphrase") << "\"" << wrong << "\"";
  }
  EXPECT_EQ(files_of(folder / "home"), before);
  launch.environment["PARLEY_PASSPHRASE"] = "correct horse";
  EXPECT_EQ(run(launch).code, 0);
}

TEST(MemberFolder, IsNotMadeUnderAnEmptyPassphrase) {
  const TemporaryFolder folder;
  EXPECT_SAYS(run({.arguments = {"init", "Alpha"},
                   .environment = {{"PARLEY_HOME", (folder / "home").string()}, {"PARLEY_PASSPHRASE", ""}}}),
              1, "protects nothing");
  EXPECT_FALSE(std::filesystem::exists(folder / "home"));
}

TEST(MemberFolder, WithoutPassphraseKeyFileOrTerminalSaysWhatToSet) {
  const Member member("Alpha");
  Launch launch = member.launch({"peer", "list"});
  launch.environment.erase("PARLEY_KEY_FILE");
  EXPECT_SAYS(run(launch), 1, "PARLEY_PASSPHRASE");
}

TEST(MemberFolder, OfAKeyFileDoesNotOpenWithAPassphrase) {
  const Member member("Alpha");
  EXPECT_EQ(run(with_passphrase(member, "guess", {"peer", "list"})).code, 1);
}

TEST(MemberFolder, OpensWithItsKeyFileOnlyWhereNobodyElseCanReadThat) {
  const Member member("Alpha");
  EXPECT_EQ(member.run({"peer", "list"}).code, 0);
  const auto key = member.folder() / "key";
  std::filesystem::permissions(key, std::filesystem::perms(0644));
  EXPECT_SAYS(member.run({"peer", "list"}), 1, key.string());
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  const std::string content = read_text(key);
  for (const std::string& wrong : {std::string(), content.substr(0, 63), std::string(64, 'x'), content + content}) {
    write_text(key, wrong);
    EXPECT_SAYS(member.run({"peer", "list"}), 1, "64 hex digits") << wrong;
  }
  write_text(key, std::string(64, '0') + "\n");
  EXPECT_SAYS(member.run({"peer", "list"}), 1, "key file");
}

TEST(MemberFolder, IsItsOwnersOnly) {
  const Member member("Alpha");
  member.import(table({"ipv4,198.51.100.7"}));
  EXPECT_EQ(std::filesystem::status(member.home()).permissions(), std::filesystem::perms(0700));
  for (const auto& entry : std::filesystem::directory_iterator(member.home()))
    EXPECT_EQ(entry.status().permissions(), std::filesystem::perms(0600)) << entry.path();
}

TEST(MemberFolder, IsRefusedAndLeftAsItIsWhenAFileOfItIsCutOrFlipped) {
  const Member member("Alpha");
  member.import(table({"ipv4,198.51.100.7", "domain,evil.example"}));
  const Files good = files_of(member.home());
  const auto put_back = [&] {
    for (const auto& [name, content] : good) {
      write_text(member.home() / name, content);
      std::filesystem::permissions(member.home() / name, std::filesystem::perms(0600));
    }
  };
  for (const char* name : {"vault.hdr", "vault.db", "node.key"}) {
    const std::string& content = good.at(name);
    for (const auto& [what, damaged] : std::map<std::string, std::string>{
             {"empty", ""},
             {"cut in half", content.substr(0, content.size() / 2)},
             {"cut by one byte", content.substr(0, content.size() - 1)},
             {"flipped at the start", std::string(1, static_cast<char>(content[0] ^ 1)) + content.substr(1)},
             {"flipped in the middle", [&] {
                std::string flipped = content;
                flipped[content.size() / 2] = static_cast<char>(flipped[content.size() / 2] ^ 4);
                return flipped;
              }()}}) {
      write_text(member.home() / name, damaged);
      const Files before = files_of(member.home());
      const Ended ended = member.run({"export", "--canonical"});
      EXPECT_EQ(ended.code, 1) << name << " " << what << ": " << ended.err;
      EXPECT_THAT(ended.err, testing::StartsWith("parley: ")) << name << " " << what;
      EXPECT_EQ(ended.out, "") << name << " " << what;
      EXPECT_EQ(files_of(member.home()), before) << name << " " << what << ": files untouched";
      put_back();
    }
  }
  EXPECT_EQ(member.run({"export", "--canonical"}).code, 0);
}

// A header under another version line, whole with the sum that ends it.
std::string with_version(const std::string& header, const std::string& version) {
  const std::size_t sum_at = header.rfind("sum ");
  std::string text = header.substr(0, sum_at);
  text.replace(text.find("/v1\n"), 4, "/v" + version + "\n");
  ByteArray<32> sum;
  crypto_generichash(as_uchar_mutable(sum), sum.size(), as_uchar(as_bytes(text)), text.size(), nullptr, 0);
  return text + "sum " + to_base64(sum) + "\n";
}

TEST(MemberFolder, OfANewerFormatVersionIsRefusedByName) {
  const Member member("Alpha");
  const auto header = member.home() / "vault.hdr";
  write_text(header, with_version(read_text(header), "2"));
  const Files before = files_of(member.home());
  EXPECT_SAYS(member.run({"peer", "list"}), 1, "Use a newer parley");
  EXPECT_EQ(files_of(member.home()), before);
}

TEST(MemberFolder, HasOneNodeAtATime) {
  const Member member("Alpha");
  const Node node(member);
  EXPECT_SAYS(member.run({"serve", "--listen", "127.0.0.1:0"}), 1, "vault");
  EXPECT_EQ(member.run({"peer", "list"}).code, 0) << "the first one serves on";
}

TEST(MemberFolder, IsNotMadeTwice) {
  const Member member("Alpha");
  const Files before = files_of(member.home());
  EXPECT_SAYS(member.run({"init", "Beta"}), 1, "There is a member here already");
  EXPECT_EQ(files_of(member.home()), before);
}

TEST(MemberFolder, IsNotMadeForANameThatCannotBeOne) {
  for (const char* name : {"", "!!!", "\xff\xfe"}) {
    const TemporaryFolder folder;
    const Ended ended = run(
        {.arguments = {"init", name},
         .environment = {{"PARLEY_HOME", (folder / "home").string()}, {"PARLEY_KEY_FILE", (folder / "key").string()}}});
    EXPECT_NE(ended.code, 0) << name;
    EXPECT_FALSE(std::filesystem::exists(folder / "home")) << name;
  }
}

TEST(PeerCommand, RefusesWhatIsNoCardOrOnesOwn) {
  const Member alpha("Alpha"), bravo("Bravo"), charlie("Charlie");
  const std::string card = card_of(bravo);
  std::string flipped = card;
  flipped[card.size() / 2] = card[card.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(alpha.run({"peer", "add", "bravo", flipped, "127.0.0.1:1"}).code, 1);
  EXPECT_EQ(alpha.run({"peer", "add", "bravo", card.substr(0, 40), "127.0.0.1:1"}).code, 1);
  EXPECT_SAYS(alpha.run({"peer", "add", "me", card_of(alpha), "127.0.0.1:1"}), 2, "your own");
  for (const std::string address : {"127.0.0.1:99999", "127.0.0.1", ":7440", "127.0.0.1:"})
    EXPECT_SAYS(alpha.run({"peer", "add", "bravo", card, address}), 2, "host:port") << address;
  EXPECT_SAYS(alpha.run({"peer", "add", "bravo", card, "127.0.0.1:0"}), 2, "port 0");
  EXPECT_EQ(alpha.json({"peer", "list"}), Json::array());
  EXPECT_EQ(alpha.run({"peer", "add", "bravo", alpha.file("bravo.card", card), "127.0.0.1:1"}).code, 0);
  EXPECT_EQ(alpha.run({"peer", "add", "bravo", card_of(charlie), "127.0.0.1:1"}).code, 1) << "the name is taken";
  EXPECT_EQ(alpha.json({"peer", "list"}).at(0).at("fingerprint"), bravo.json({"id"}).at("fingerprint"))
      << "both sides read the same fingerprint aloud";
}

}  // namespace
}  // namespace parley::program
