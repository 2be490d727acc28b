// Waiting: time limits hold against a peer that always has something more to send.
#include "wire/detail/tls_stream.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/random.h"

namespace parley::wire::detail {
namespace {

TEST(TlsStream, IsTooSlowWhenTheTimeIsOverEvenIfAByteIsThere) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const FileDescriptor peer(ends[1]);
  const auto judge = [](const ByteArray<32>&) { return Status(); };
  const auto stream = TlsStream::make(FileDescriptor(ends[0]), Side::server, random_secret<32>(), judge);
  ASSERT_TRUE(stream.has_value()) << stream.error().text();
  ASSERT_EQ(::send(peer.get(), "x", 1, 0), 1);
  const auto in_time = (*stream)->wait(POLLIN, deadline_in(std::chrono::minutes(1)));
  ASSERT_TRUE(in_time.has_value());
  EXPECT_TRUE(*in_time);
  const auto too_late = (*stream)->wait(POLLIN, Monotonic::now());
  ASSERT_TRUE(too_late.has_value());
  EXPECT_FALSE(*too_late);
}

}  // namespace
}  // namespace parley::wire::detail
