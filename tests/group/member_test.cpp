#include "group/member.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "base/file.h"
#include "base/random.h"
#include "crypto/ed25519.h"
#include "log/note.h"

namespace parley::group {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder of its own with a vault in it, gone afterwards.
class MemberTest : public testing::Test {
 protected:
  MemberTest() {
    std::string pattern = (fs::temp_directory_path() / "parley-member-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    unlock_.key_file = random_secret<32>();
    EXPECT_TRUE(vault::Vault::create(folder_, unlock_).has_value());
    auto opened = vault::Vault::open(folder_, unlock_);
    EXPECT_TRUE(opened.has_value());
    vault_ = std::move(*opened);
  }
  ~MemberTest() override {
    vault_.reset();
    fs::remove_all(folder_);
  }

  Status create() { return create_member(folder_, "Alpha CERT", unlock_, *vault_); }

  std::string content(const char* file) const {
    const auto bytes = read_file(folder_ / file, 1 << 20);
    return bytes ? std::string(as_text(*bytes)) : std::string();
  }
  void put(const char* file, const std::string& text) const {
    std::ofstream(folder_ / file, std::ios::binary | std::ios::trunc) << text;
  }
  Errc loading_fails_with() const {
    const auto member = load_member(folder_, *vault_);
    return member ? Errc::internal : member.error().code;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

  fs::path folder_;
  vault::Unlock unlock_;
  std::unique_ptr<vault::Vault> vault_;
};

TEST_F(MemberTest, IsMadeAndLoaded) {
  ASSERT_TRUE(create().has_value());
  const auto member = load_member(folder_, *vault_);
  ASSERT_TRUE(member.has_value()) << member.error().text();
  EXPECT_EQ(member->card.name, "Alpha CERT");
  EXPECT_EQ(member->card.nick, "alpha-cert");
  const wire::LocalIdentity identity = member->identity();
  EXPECT_EQ(identity.nick, "alpha-cert");
  EXPECT_EQ(log::vkey_of(identity.node_key_name, log::KeyType::ed25519, identity.node_seed).text(),
            member->card.node_vkey);
  EXPECT_EQ(crypto::public_key_of(identity.tls_seed), member->card.tls_key);
  const auto id = load_id_seed(folder_, unlock_);
  ASSERT_TRUE(id.has_value()) << id.error().text();
  EXPECT_EQ(log::vkey_of("parley.local/m/alpha-cert/id", log::KeyType::ed25519, *id).text(), member->card.id_vkey);
}

TEST_F(MemberTest, HasSecretFilesThatOnlyItsUserCanRead) {
  ASSERT_TRUE(create().has_value());
  for (const char* file : {"id.key", "node.key"}) {
    struct stat info{};
    ASSERT_EQ(::stat((folder_ / file).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
}

TEST_F(MemberTest, HasNoTwoKeysAlikeAndNoneOfAnotherMember) {
  ASSERT_TRUE(create().has_value());
  const auto first = load_member(folder_, *vault_);
  for (const char* file : {"id.key", "node.key", "card.note"}) fs::remove(folder_ / file);
  ASSERT_TRUE(create().has_value());
  const auto second = load_member(folder_, *vault_);
  EXPECT_FALSE(first->node_seed.equals(second->node_seed));
  EXPECT_FALSE(first->tls_seed.equals(second->tls_seed));
  EXPECT_FALSE(first->node_seed.equals(first->log_seed));
  EXPECT_NE(first->card.fingerprint(), second->card.fingerprint());
}

TEST_F(MemberTest, MadeUnderAPassphraseKeepsItsIdentityUnderIt) {
  vault::Unlock passphrase{SecretBytes(as_bytes("correct horse battery staple")), std::nullopt};
  ASSERT_TRUE(create_member(folder_, "Alpha", passphrase, *vault_).has_value());
  EXPECT_THAT(content("id.key"), HasSubstr("kdf argon2id13 3 268435456 1 "));
  EXPECT_TRUE(load_id_seed(folder_, passphrase).has_value());
  const auto refused = load_id_seed(folder_, {SecretBytes(as_bytes("correct horse battery stapl")), std::nullopt});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::passphrase);
  EXPECT_EQ(load_id_seed(folder_, unlock_).error().code, Errc::passphrase);
}

TEST_F(MemberTest, IsNotMadeOverAnother) {
  for (const char* file : {"id.key", "node.key", "card.note"}) {
    put(file, "precious");
    const Status made = create();
    ASSERT_FALSE(made.has_value()) << file;
    EXPECT_EQ(made.error().code, Errc::exists) << file;
    EXPECT_EQ(content(file), "precious");
    fs::remove(folder_ / file);
  }
  EXPECT_THAT(files(), testing::Not(testing::Contains(testing::EndsWith(".key"))));
}

TEST_F(MemberTest, LeavesNothingBehindWhenItCannotBeMade) {
  const auto before = files();
  EXPECT_EQ(create_member(folder_, "", unlock_, *vault_).error().code, Errc::usage);
  EXPECT_EQ(create_member(folder_, "\xff", unlock_, *vault_).error().code, Errc::usage);
  EXPECT_EQ(create_member(folder_, "???", unlock_, *vault_).error().code, Errc::usage);
  EXPECT_EQ(create_member(folder_, "Alpha", {}, *vault_).error().code, Errc::passphrase);
  EXPECT_FALSE(create_member(folder_ / "absent", "Alpha", unlock_, *vault_).has_value());
  EXPECT_THAT(files(), testing::UnorderedElementsAreArray(before));
}

TEST_F(MemberTest, RemovesWhatItWroteWhenALaterFileFails) {
  const auto before = files();
  // Room for the two key files (some 230 and 460 bytes), not for the card (some 660).
  constexpr rlim_t kRoom = 550;
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
  const auto usual_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{kRoom, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Status made = create();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
  std::signal(SIGXFSZ, usual_handler);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Errc::io);
  EXPECT_THAT(made.error().text(), HasSubstr("card.note"));
  EXPECT_THAT(files(), testing::UnorderedElementsAreArray(before));
}

TEST_F(MemberTest, IsNotLoadedFromFilesThatOthersCanRead) {
  ASSERT_TRUE(create().has_value());
  for (const auto mode : {0640, 0604, 0660, 0777}) {
    ASSERT_EQ(::chmod((folder_ / "node.key").c_str(), static_cast<mode_t>(mode)), 0);
    EXPECT_EQ(loading_fails_with(), Errc::key_permissions);
  }
}

TEST_F(MemberTest, IsNotLoadedWhenAFileIsMissingAlteredOrOfAnotherMember) {
  ASSERT_TRUE(create().has_value());
  const std::string card = content("card.note");
  const std::string node = content("node.key");
  const std::string id = content("id.key");
  fs::remove(folder_ / "node.key");
  EXPECT_EQ(loading_fails_with(), Errc::not_found);
  put("node.key", id);
  ASSERT_EQ(::chmod((folder_ / "node.key").c_str(), 0600), 0);
  EXPECT_EQ(loading_fails_with(), Errc::format) << "the other ring's file";
  std::string altered = node;
  altered[altered.size() - 4] = altered[altered.size() - 4] == 'A' ? 'B' : 'A';
  put("node.key", altered);
  EXPECT_EQ(loading_fails_with(), Errc::passphrase);
  put("node.key", node);
  fs::remove(folder_ / "card.note");
  EXPECT_EQ(loading_fails_with(), Errc::not_found);
  put("card.note", card + "x");
  EXPECT_EQ(loading_fails_with(), Errc::format);
  // The card of a later member of the same folder beside the keys of the earlier one.
  for (const char* file : {"id.key", "node.key", "card.note"}) fs::remove(folder_ / file);
  ASSERT_TRUE(create().has_value());
  put("node.key", node);
  EXPECT_EQ(loading_fails_with(), Errc::format);
  put("card.note", card);
  EXPECT_EQ(loading_fails_with(), Errc::internal) << "the earlier member whole again";
}

TEST_F(MemberTest, IsNotLoadedWithAnotherVault) {
  ASSERT_TRUE(create().has_value());
  const fs::path other_folder = folder_ / "other";
  fs::create_directory(other_folder);
  ASSERT_TRUE(vault::Vault::create(other_folder, unlock_).has_value());
  const auto other = vault::Vault::open(other_folder, unlock_);
  ASSERT_TRUE(other.has_value());
  const auto member = load_member(folder_, **other);
  ASSERT_FALSE(member.has_value());
  EXPECT_EQ(member.error().code, Errc::passphrase);
}

}  // namespace
}  // namespace parley::group
