// That a loss of power, as the other tests of this folder make it, takes what was not made durable and nothing else.
#include <fcntl.h>

#include "base/file.h"
#include "support/crash_points.h"
#include "vault/testing.h"

namespace parley::crash {
namespace {

using vault::succeeds;  // of EXPECT_OK

/// Writes `text` at the beginning of a file, and makes it durable or not.
void put(const std::filesystem::path& path, std::string_view text, bool sync) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  static_cast<void>(!::pwrite(fd, text.data(), text.size(), 0));
  if (sync) ::fdatasync(fd);
  ::close(fd);
}
std::string text_of(const std::filesystem::path& path) {
  return std::string(as_text(vault::read_whole(path)));
}
/// The names of the files in it are durable.
void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ::fsync(fd);
  ::close(fd);
}

class LossOfPower : public testing::Test {
 protected:
  /// Runs `work`, and dies at the end of it.
  void lose_power_after(const std::function<void()>& work) const {
    EXPECT_TRUE(dies_in_process([&] {
      die_at(1'000'000, Events::all, Cut::power);
      work();
      die_at_next();
    }));
  }
  static void die_at_next() {
    // die_at() would begin anew and forget what is not durable: the events are counted up instead.
    while (events_so_far() < 1'000'000) event();
  }
  vault::TemporaryFolder folder_;
};

TEST_F(LossOfPower, TakesWhatWasWrittenSinceTheFileWasLastMadeDurable) {
  put(folder_ / "file", "first", true);
  lose_power_after([&] { put(folder_ / "file", "second and longer", false); });
  EXPECT_EQ(text_of(folder_ / "file"), "first");
}

TEST_F(LossOfPower, LeavesWhatWasMadeDurable) {
  lose_power_after([&] {
    put(folder_ / "file", "durable", true);
    put(folder_ / "other", "", false);
    sync_folder(folder_.path());
    put(folder_ / "file", "lost", false);
    put(folder_ / "other", "lost too", false);
  });
  EXPECT_EQ(text_of(folder_ / "file"), "durable");
  EXPECT_EQ(text_of(folder_ / "other"), "");
}

TEST_F(LossOfPower, TakesTheContentOfAFileThatWasRenamedTooSoon) {
  lose_power_after([&] {
    put(folder_ / "new", "content", false);
    ::rename((folder_ / "new").c_str(), (folder_ / "file").c_str());
    sync_folder(folder_.path());
  });
  EXPECT_EQ(text_of(folder_ / "file"), "");
  lose_power_after([&] { EXPECT_OK(write_file_atomically(folder_ / "whole", as_bytes("content"), 0600)); });
  EXPECT_EQ(text_of(folder_ / "whole"), "content");
}

TEST_F(LossOfPower, TakesNamesWhoseFolderWasNotMadeDurable) {
  put(folder_ / "old", "old", true);
  put(folder_ / "gone", "gone", true);
  lose_power_after([&] {
    put(folder_ / "new", "new", true);
    put(folder_ / "made", "made", true);
    ::rename((folder_ / "new").c_str(), (folder_ / "old").c_str());
    put(folder_ / "gone", "lost", false);
    ::unlink((folder_ / "gone").c_str());
  });
  EXPECT_EQ(text_of(folder_ / "old"), "old") << "the rename did not last";
  EXPECT_EQ(text_of(folder_ / "gone"), "gone") << "nor did the removal, and what was written before it";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "made")) << "though its content was made durable";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(LossOfPower, LeavesNamesWhoseFolderWasMadeDurable) {
  put(folder_ / "old", "old", true);
  lose_power_after([&] {
    put(folder_ / "new", "new", true);
    ::rename((folder_ / "new").c_str(), (folder_ / "old").c_str());
    put(folder_ / "made", "made", true);
    sync_folder(folder_.path());
  });
  EXPECT_EQ(text_of(folder_ / "old"), "new");
  EXPECT_EQ(text_of(folder_ / "made"), "made");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

TEST_F(LossOfPower, GivesBackWhatWasCutOff) {
  put(folder_ / "file", "long text", true);
  lose_power_after([&] {
    const int fd = ::open((folder_ / "file").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::ftruncate(fd, 4), 0);
    ::close(fd);
  });
  EXPECT_EQ(text_of(folder_ / "file"), "long text");
}

}  // namespace
}  // namespace parley::crash
