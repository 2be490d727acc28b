// What was signed once is remembered whatever happens to the file while it is written, and never signed differently.
#include "vault/head_guard.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "vault/testing.h"

namespace {

/// What was made durable, and whether the disk lets anything be.
thread_local std::set<ino_t> made_durable;
thread_local bool disk_fails = false;

}  // namespace

namespace {

int make_durable(int file, const char* call) {
  if (disk_fails) {
    errno = EIO;
    return -1;
  }
  struct stat status = {};
  if (::fstat(file, &status) == 0) made_durable.insert(status.st_ino);
  return reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, call))(file);
}

}  // namespace

extern "C" int fsync(int file) {
  return make_durable(file, "fsync");
}
extern "C" int fdatasync(int file) {
  return make_durable(file, "fdatasync");
}

namespace parley::vault {
namespace {

SignedHead head(std::uint64_t size, std::uint8_t root = 1) {
  return {size, Digest{std::byte{root}, static_cast<std::byte>(size)}};
}

class Guard : public testing::Test {
 protected:
  HeadGuard open() {
    auto guard = HeadGuard::open(path_);
    EXPECT_OK(guard);
    return *std::move(guard);
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "head.bin";
};

TEST_F(Guard, BeginsWithNothingSigned) {
  EXPECT_EQ(open().head(), SignedHead{});
}

TEST_F(Guard, RemembersTheNewestHeadAcrossRestarts) {
  for (const std::uint64_t size : std::initializer_list<std::uint64_t>{1, 2, 3, 10, 500}) {
    HeadGuard guard = open();
    ASSERT_OK(guard.advance(head(size)));
    EXPECT_EQ(guard.head(), head(size));
    EXPECT_EQ(open().head(), head(size));
  }
  HeadGuard guard = open();
  for (std::uint64_t size = 501; size < 520; ++size) ASSERT_OK(guard.advance(head(size)));
  EXPECT_EQ(open().head(), head(519));
}

TEST_F(Guard, IsDurableBeforeItSaysSo) {
  HeadGuard guard = open();
  for (std::uint64_t size = 1; size <= 6; ++size) {
    made_durable.clear();
    ASSERT_OK(guard.advance(head(size)));
    struct stat status = {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_TRUE(made_durable.contains(status.st_ino)) << "at " << size;
  }
}

TEST_F(Guard, DoesNotMoveOnADiskThatMakesNothingDurable) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(1)));
  disk_fails = true;
  EXPECT_FAILS(guard.advance(head(2)), Errc::io);
  disk_fails = false;
  EXPECT_EQ(guard.head(), head(1));
}

TEST_F(Guard, RefusesASmallerHeadAndOneOfTheSameSizeWithAnotherRoot) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(7)));
  EXPECT_OK(guard.advance(head(7)));
  EXPECT_FAILS(guard.advance(head(7, 2)), Errc::exists);
  EXPECT_FAILS(guard.advance(head(6)), Errc::exists);
  EXPECT_FAILS(guard.advance(SignedHead{}), Errc::exists);
  EXPECT_EQ(open().head(), head(7)) << "unchanged";
}

TEST_F(Guard, IsReadableByItsOwnerOnly) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(1)));
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
}

// A power cut leaves any part of a write on the disk: the head before it holds, or the new one.
TEST_F(Guard, ThatIsTornAtAnyByteHasTheHeadBeforeOrTheNewOne) {
  for (const std::uint64_t before : std::initializer_list<std::uint64_t>{4, 5}) {
    std::filesystem::remove(path_);
    HeadGuard guard = open();
    for (std::uint64_t size = 1; size <= before; ++size) ASSERT_OK(guard.advance(head(size)));
    const Bytes old = read_whole(path_);
    ASSERT_OK(guard.advance(head(before + 1)));
    const Bytes now = read_whole(path_);
    ASSERT_EQ(old.size(), now.size());
    for (std::size_t cut = 0; cut <= now.size(); ++cut) {
      if (cut > 0 && cut < now.size() && old[cut - 1] == now[cut - 1]) continue;
      Bytes torn = old;
      std::copy(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(cut), torn.begin());
      write_whole(path_, torn);
      const SignedHead found = open().head();
      EXPECT_TRUE(found == head(before) || found == head(before + 1)) << cut;
    }
  }
}

TEST_F(Guard, WithADamagedNewestSlotFallsBackToTheOneBeforeWhichTheDatabaseThenContradicts) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(1)));
  ASSERT_OK(guard.advance(head(2)));
  Bytes damaged = read_whole(path_);
  damaged[2048 + 3] ^= std::byte{1};
  write_whole(path_, damaged);
  EXPECT_EQ(open().head(), head(1));
}

TEST_F(Guard, ThatIsDamagedInBothSlotsCutShortOrLongerIsNotTakenForAnEmptyOne) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(1)));
  ASSERT_OK(guard.advance(head(2)));
  const Bytes whole = read_whole(path_);
  Bytes both = whole;
  both[0] ^= std::byte{1};
  both[2048] ^= std::byte{1};
  write_whole(path_, both);
  EXPECT_FAILS(HeadGuard::open(path_), Errc::vault_damaged);
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 71, 72, 4095}) {
    write_whole(path_, ByteView(whole).first(size));
    EXPECT_FAILS(HeadGuard::open(path_), Errc::vault_damaged) << size;
  }
  Bytes longer = whole;
  longer.push_back(std::byte{});
  write_whole(path_, longer);
  EXPECT_FAILS(HeadGuard::open(path_), Errc::limit);
  write_whole(path_, Bytes(4096));
  EXPECT_FAILS(HeadGuard::open(path_), Errc::vault_damaged) << "zeros are no head";
}

TEST_F(Guard, SaysThatNothingMayBeSignedWhenItCannotWrite) {
  HeadGuard guard = open();
  ASSERT_OK(guard.advance(head(1)));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  const Status failed = guard.advance(head(2));
  EXPECT_FAILS(failed, Errc::io);
  EXPECT_NE(failed.error().message.find("Nothing was signed"), std::string::npos);
  EXPECT_EQ(guard.head(), head(1));
}

}  // namespace
}  // namespace parley::vault
