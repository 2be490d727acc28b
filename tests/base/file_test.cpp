#include "base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

namespace parley {
namespace {

using testing::HasSubstr;

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

FileDescriptor open_something() {
  return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(FileDescriptor, IsClosedWhenItGoes) {
  int fd = -1;
  {
    const FileDescriptor file = open_something();
    fd = file.get();
    ASSERT_TRUE(file.valid());
    ASSERT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(FileDescriptor, HasOneOwner) {
  FileDescriptor first = open_something();
  const int fd = first.get();
  FileDescriptor second(std::move(first));
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that is what is promised
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(is_open(fd));

  FileDescriptor third = open_something();
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_EQ(third.get(), fd);
  FileDescriptor& same = third;
  third = std::move(same);
  EXPECT_TRUE(is_open(fd));
}

TEST(FileDescriptor, IsLeftOpenWhenItIsReleased) {
  FileDescriptor file = open_something();
  const int fd = file.release();
  EXPECT_FALSE(file.valid());
  file.close();
  EXPECT_TRUE(is_open(fd));
  EXPECT_EQ(::close(fd), 0);
}

TEST(FileDescriptor, OfNothingIsInvalidAndMayBeClosed) {
  FileDescriptor none;
  EXPECT_FALSE(none.valid());
  none.close();
  EXPECT_FALSE(FileDescriptor(-1).valid());
}

class File : public testing::Test {
 protected:
  File() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-base-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~File() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path put(std::string_view name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) found.push_back(entry.path().filename());
    return found;
  }
  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat info{};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777U;
  }

  std::filesystem::path folder_;
};

TEST_F(File, IsReadUpToItsLimitAndNotPastIt) {
  const std::string content(100'000, 'x');
  const auto path = put("file", content);
  const auto whole = read_file(path, content.size());
  ASSERT_TRUE(whole);
  EXPECT_EQ(as_text(*whole), content);
  for (const std::size_t limit : {content.size() - 1, std::size_t{65'536}, std::size_t{1}, std::size_t{0}}) {
    const auto refused = read_file(path, limit);
    ASSERT_FALSE(refused) << limit;
    EXPECT_EQ(refused.error().code, Errc::limit);
    EXPECT_EQ(refused.error().where, path.string());
    EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(limit)));
  }
}

TEST_F(File, ThatIsEmptyIsReadWithAnyLimit) {
  EXPECT_TRUE(read_file(put("empty", ""), 0)->empty());
}

TEST_F(File, WithoutAnEndIsReadNoFurtherThanItsLimit) {
  const auto endless = read_file("/dev/zero", 1'000'000);
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Errc::limit);
}

TEST_F(File, WithASecretIsReadByTheSameRules) {
  const std::string content(4096, 'x');
  const auto path = put("secret", content);
  for (const std::size_t limit : {content.size(), content.size() + 1}) {
    const auto whole = read_secret_file(path, limit);
    ASSERT_TRUE(whole);
    EXPECT_EQ(as_text(whole->expose()), content);
  }
  EXPECT_TRUE(read_secret_file(put("empty", ""), 0)->empty());
  for (const std::size_t limit : {content.size() - 1, std::size_t{0}}) {
    const auto refused = read_secret_file(path, limit);
    ASSERT_FALSE(refused) << limit;
    EXPECT_EQ(refused.error().code, Errc::limit);
    EXPECT_EQ(refused.error().text(), read_file(path, limit).error().text());
  }
  EXPECT_EQ(read_secret_file("/dev/zero", 4096).error().code, Errc::limit);
  EXPECT_EQ(read_secret_file(folder_ / "missing", 10).error().code, Errc::not_found);
  EXPECT_EQ(read_secret_file(folder_, 10).error().code, Errc::io);
}

TEST_F(File, ThatCannotBeReadIsAnErrorThatNamesIt) {
  const auto missing = read_file(folder_ / "missing", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(missing.error().text(), (folder_ / "missing").string() + ": Cannot open: No such file or directory.");
  const auto folder = read_file(folder_, 10);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Errc::io);
  const auto below_a_file = read_file(put("file", "x") / "below", 10);
  ASSERT_FALSE(below_a_file);
  EXPECT_EQ(below_a_file.error().code, Errc::io);
}

TEST_F(File, IsPrivateWhenOnlyItsOwnerCanReadIt) {
  const auto path = put("key", "secret");
  for (const unsigned mode : {0600U, 0400U, 0700U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(check_private(path)) << mode;
  }
  for (const unsigned mode : {0644U, 0640U, 0604U, 0620U, 0601U, 0666U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const Status status = check_private(path);
    ASSERT_FALSE(status) << mode;
    EXPECT_EQ(status.error().code, Errc::key_permissions);
    EXPECT_THAT(status.error().message, HasSubstr("chmod 600"));
  }
  EXPECT_EQ(check_private(folder_ / "missing").error().code, Errc::not_found);
}

TEST_F(File, IsWrittenWholeWithItsModeAndNothingBesideIt) {
  const auto path = folder_ / "file";
  for (const unsigned mode : {0600U, 0644U}) {
    const std::string content(200'000, static_cast<char>('a' + (mode & 7)));
    ASSERT_TRUE(write_file_atomically(path, as_bytes(content), mode));
    EXPECT_EQ(as_text(*read_file(path, content.size())), content);
    EXPECT_EQ(mode_of(path), mode);
    EXPECT_THAT(names(), testing::ElementsAre("file"));
  }
}

TEST_F(File, IsReplacedByOneThatIsEmpty) {
  const auto path = put("file", "old");
  ASSERT_TRUE(write_file_atomically(path, {}, 0600));
  EXPECT_TRUE(read_file(path, 10)->empty());
}

// Who had the old file open goes on reading it: the content is never changed in place.
TEST_F(File, ThatIsReplacedStaysWholeForWhoHasItOpen) {
  const auto path = put("file", "old");
  const FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(write_file_atomically(path, as_bytes("new and longer"), 0600));
  ByteArray<16> buffer{};
  ASSERT_EQ(::read(reader.get(), buffer.data(), buffer.size()), 3);
  EXPECT_EQ(as_text(ByteView(buffer).first(3)), "old");
}

TEST_F(File, ThatCannotBeWrittenLeavesEverythingAsItWas) {
  const Status no_folder = write_file_atomically(folder_ / "missing" / "file", as_bytes("x"), 0600);
  ASSERT_FALSE(no_folder);
  EXPECT_EQ(no_folder.error().code, Errc::not_found);

  std::filesystem::create_directory(folder_ / "taken");
  const Status over_folder = write_file_atomically(folder_ / "taken", as_bytes("x"), 0600);
  ASSERT_FALSE(over_folder);
  EXPECT_EQ(over_folder.error().code, Errc::io);
  EXPECT_THAT(names(), testing::ElementsAre("taken"));
}

TEST(SystemError, IsInWords) {
  EXPECT_EQ(system_error_text(ENOSPC), "No space left on device");
}

}  // namespace
}  // namespace parley
