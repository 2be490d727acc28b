// OpenSSL's own socket BIO writes with write(2), which kills the process by SIGPIPE when the other side is gone.
#include "wire/detail/socket_bio.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace parley::wire::detail {
namespace {

SocketState& state_of(BIO* bio) {
  return *static_cast<SocketState*>(BIO_get_data(bio));
}

bool would_block(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR;
}

int write_socket(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  SocketState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(state.socket.get(), data, size, MSG_NOSIGNAL);
  if (sent < 0) {
    if (would_block(errno)) {
      BIO_set_retry_write(bio);
    } else {
      state.error_number = errno;
    }
    return 0;
  }
  *written = static_cast<std::size_t>(sent);
  state.sent += *written;
  return 1;
}

int read_socket(BIO* bio, char* data, std::size_t size, std::size_t* read) {
  SocketState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(state.socket.get(), data, size, 0);
  if (got <= 0) {
    if (got == 0) {
      state.ended = true;
    } else if (would_block(errno)) {
      BIO_set_retry_read(bio);
    } else {
      state.error_number = errno;
    }
    return 0;
  }
  *read = static_cast<std::size_t>(got);
  state.received += *read;
  const std::size_t kept = std::min(*read, state.first.size() - state.first_size);
  std::ranges::copy(as_bytes(std::string_view(data, kept)),
                    state.first.begin() + static_cast<std::ptrdiff_t>(state.first_size));
  state.first_size += kept;
  return 1;
}

long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return state_of(bio).ended ? 1 : 0;
  return 0;
}

int create_socket_bio(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "parley socket");
    BIO_meth_set_write_ex(made, write_socket);
    BIO_meth_set_read_ex(made, read_socket);
    BIO_meth_set_ctrl(made, control_socket);
    BIO_meth_set_create(made, create_socket_bio);
    return made;
  }();
  return method;
}

}  // namespace

BIO* make_socket_bio(SocketState& state) {
  BIO* bio = BIO_new(socket_method());
  if (bio != nullptr) BIO_set_data(bio, &state);
  return bio;
}

}  // namespace parley::wire::detail
