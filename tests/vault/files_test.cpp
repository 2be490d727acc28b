// Large files of a vault: there wholly with their row, or not at all; sealed, and private.
#include "vault/files.h"

#include <sys/stat.h>

#include <set>

#include "testing.h"

namespace parley::vault {
namespace {

Bytes content_of(std::size_t size) {
  Bytes content(size);
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::byte>(i * 7 + i / 251);
  return content;
}

SealedFile put(Vault& vault, ByteView content, std::string_view purpose = "test",
               const std::optional<Secret<32>>& key = {}) {
  auto file = vault.begin_file(purpose, kSizeNotStated, key);
  EXPECT_OK(file);
  EXPECT_OK(file->append(content));
  const auto committed = file->commit();
  EXPECT_OK(committed);
  return committed.value_or(SealedFile{});
}

Result<Bytes> get(Vault& vault, const SealedFile& file, const std::optional<Secret<32>>& key = {}) {
  TRY(StreamReader reader, vault.open_file(file.id, key));
  Bytes content(file.size + 1);
  TRY(const std::size_t got, reader.read(content));
  content.resize(got);
  return content;
}

TEST(SealedFiles, OfAnySizeComeBackAsTheyWere) {
  const TestVault test;
  for (const std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 131'072U, 200'001U}) {
    const auto vault = test.open();
    const Bytes content = content_of(size);
    const SealedFile file = put(*vault, content);
    EXPECT_EQ(file.size, content.size());
    const auto back = get(*vault, file);
    ASSERT_OK(back);
    EXPECT_EQ(*back, content) << size;
  }
  EXPECT_EQ(test.open()->sealed_files("te")->size(), 7U);
  EXPECT_TRUE(test.open()->sealed_files("other")->empty());
}

TEST(SealedFiles, AreSealedAndForTheirOwnerOnly) {
  const TestVault test;
  const std::string secret = "what nobody else is to read, said quite often. ";
  std::string text;
  for (int i = 0; i < 100; ++i) text += secret;
  const auto vault = test.open();
  const SealedFile file = put(*vault, as_bytes(text));
  const auto path = test.folder() / ("files/" + file.id + ".sealed");
  EXPECT_EQ(as_text(read_whole(path)).find("nobody else"), std::string_view::npos);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((test.folder() / "files").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST(SealedFiles, UnderAKeyOfTheirOwnDoNotOpenWithoutIt) {
  const TestVault test;
  const auto vault = test.open();
  const Secret<32> key = random_secret<32>();
  const SealedFile file = put(*vault, content_of(100), "test", key.clone());
  EXPECT_OK(get(*vault, file, key.clone()));
  EXPECT_FAILS(get(*vault, file, random_secret<32>()), Errc::vault_damaged);
  EXPECT_FAILS(get(*vault, file), Errc::vault_damaged);
}

TEST(SealedFiles, ThatWereDroppedOrRefusedLeaveNothing) {
  const TestVault test;
  const auto vault = test.open();
  {
    auto dropped = vault->begin_file("test");
    ASSERT_OK(dropped);
    ASSERT_OK(dropped->append(content_of(100'000)));
  }
  {
    auto refused = vault->begin_file("test");
    ASSERT_OK(refused);
    EXPECT_FAILS(refused->commit([](const SealedFile&) { return fail(Errc::policy, "It is not wanted."); }),
                 Errc::policy);
  }
  {
    auto other_size = vault->begin_file("test", 5);
    ASSERT_OK(other_size);
    ASSERT_OK(other_size->append(content_of(6)));
    EXPECT_FAILS(other_size->commit(), Errc::format);
  }
  EXPECT_FAILS(vault->begin_file(""), Errc::internal);
  EXPECT_FAILS(vault->begin_file(std::string(kMaxPurposeBytes + 1, 'x')), Errc::internal);
  EXPECT_TRUE(std::filesystem::is_empty(test.folder() / "files"));
  EXPECT_TRUE(vault->sealed_files({})->empty());
}

TEST(SealedFiles, ThatNoRowNamesAreClearedAwayWhenTheVaultIsOpened) {
  const TestVault test;
  SealedFile kept;
  {
    const auto vault = test.open();
    kept = put(*vault, content_of(10));
  }
  write_whole(test.folder() / ("files/" + std::string(32, 'a') + ".part"), content_of(9));
  write_whole(test.folder() / ("files/" + std::string(32, 'b') + ".sealed"), content_of(9));
  write_whole(test.folder() / "files/a note of the operator", content_of(9));
  const auto vault = test.open();
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(test.folder() / "files"))
    names.insert(entry.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{kept.id + ".sealed", "a note of the operator"}));
  EXPECT_OK(get(*vault, kept));
}

TEST(SealedFiles, AreRemovedWithTheirRow) {
  const TestVault test;
  const auto vault = test.open();
  const SealedFile file = put(*vault, content_of(10));
  EXPECT_FAILS(vault->remove_file(file.id, [] { return fail(Errc::policy, "It is needed."); }), Errc::policy);
  EXPECT_OK(get(*vault, file));
  EXPECT_OK(vault->remove_file(file.id));
  EXPECT_FAILS(vault->remove_file(file.id), Errc::not_found);
  EXPECT_FAILS(get(*vault, file), Errc::vault_damaged);
  EXPECT_FALSE(std::filesystem::exists(test.folder() / ("files/" + file.id + ".sealed")));
}

TEST(SealedFiles, TakeTheirOwnHeaderOnly) {
  const FileHeader header{.id = random_bytes<16>(), .salt = random_bytes<16>(), .size = 12};
  const Bytes bytes = header.to_bytes();
  EXPECT_EQ(bytes.size(), kFileHeaderBytes);
  EXPECT_EQ(FileHeader::from_bytes(bytes).value(), header);
  EXPECT_FAILS(FileHeader::from_bytes(ByteView(bytes).first(47)), Errc::format);
  Bytes other = bytes;
  other[7] ^= std::byte{1};
  EXPECT_FAILS(FileHeader::from_bytes(other), Errc::format);
}

}  // namespace
}  // namespace parley::vault
