// Unix socket with passed file descriptors (SCM_RIGHTS, unix(7)).
#include "node/local_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace parley::node {
namespace {

constexpr std::string_view kSocketName = "node.sock";
/// First line of a handed command. Another program version has another line and is refused.
constexpr std::string_view kGreeting = "parley-local/3\n";
constexpr std::size_t kMaxCommandBytes = 1 << 20;
constexpr std::size_t kMaxArguments = 4096;
constexpr std::size_t kMaxCommands = 64;  // under way at once
constexpr std::size_t kMaxQuestionBytes = 4096;
constexpr auto kHandOverLimit = std::chrono::seconds(10);

// sockaddr_un holds 107 bytes; a longer folder is reached through its open descriptor (proc(5)).
struct SocketAddress {
  FileDescriptor folder;
  sockaddr_un address{};
};

Result<SocketAddress> socket_address(const std::filesystem::path& folder) {
  SocketAddress result;
  result.folder = FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!result.folder.valid())
    return fail(Errc::io, "The folder cannot be opened: " + system_error_text(errno) + ".", folder.string());
  result.address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", result.folder.get(), kSocketName);
  std::memcpy(result.address.sun_path, path.c_str(), path.size() + 1);
  return result;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_all(int fd, MutableByteView out, Deadline deadline) {
  while (!out.empty()) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, milliseconds_until(deadline)) <= 0) return false;
    const ssize_t got = ::recv(fd, out.data(), out.size(), 0);
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

void append_text(std::string& out, std::string_view text) {
  Bytes length;
  append_be(length, static_cast<std::uint32_t>(text.size()));
  out += as_text(length);
  out += text;
}

// greeting || u32 length of the rest || texts, each with a u32 length: working folder, then the arguments.
std::string encode(const std::vector<std::string>& arguments) {
  std::string body;
  std::error_code ignored;
  append_text(body, std::filesystem::current_path(ignored).string());
  for (const std::string& argument : arguments) append_text(body, argument);
  Bytes length;
  append_be(length, static_cast<std::uint32_t>(body.size()));
  return std::string(kGreeting) + std::string(as_text(length)) + body;
}

std::optional<std::vector<std::string>> decode_texts(ByteView body) {
  std::vector<std::string> texts;
  while (!body.empty()) {
    if (body.size() < 4 || texts.size() > kMaxArguments) return std::nullopt;
    const auto size = read_be<std::uint32_t>(body);
    body = body.subspan(4);
    if (size > body.size()) return std::nullopt;
    texts.emplace_back(as_text(body.first(size)));
    body = body.subspan(size);
  }
  return texts;
}

// The greeting arrives with the three streams.
bool receive_greeting(int fd, HandedCommand& command) {
  char greeting[kGreeting.size()];
  iovec part{.iov_base = greeting, .iov_len = sizeof(greeting)};
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, milliseconds_until(deadline_in(kHandOverLimit))) <= 0) return false;
  const ssize_t got = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fds[3];
    const std::size_t count = std::min<std::size_t>(3, (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(fds, CMSG_DATA(header), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) command.streams[i] = FileDescriptor(fds[i]);
  }
  return got == static_cast<ssize_t>(kGreeting.size()) && std::string_view(greeting, sizeof(greeting)) == kGreeting &&
         command.streams[2].valid();
}

bool receive_command(int fd, HandedCommand& command) {
  if (!receive_greeting(fd, command)) return false;
  const Deadline deadline = deadline_in(kHandOverLimit);
  ByteArray<4> length;
  if (!receive_all(fd, length, deadline)) return false;
  const auto size = read_be<std::uint32_t>(length);
  if (size > kMaxCommandBytes) return false;
  Bytes body(size);
  if (!receive_all(fd, body, deadline)) return false;
  auto texts = decode_texts(body);
  if (!texts || texts->empty()) return false;
  command.working_folder = texts->front();
  command.arguments.assign(std::make_move_iterator(texts->begin() + 1), std::make_move_iterator(texts->end()));
  return true;
}

bool is_same_user(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.uid == ::geteuid();
}

bool send_greeting_with_streams(int fd) {
  iovec part{.iov_base = const_cast<char*>(kGreeting.data()), .iov_len = kGreeting.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(3 * sizeof(int));
  const int fds[3] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  std::memcpy(CMSG_DATA(header), fds, sizeof(fds));
  return ::sendmsg(fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(kGreeting.size());
}

// What the node sends back: a kind, then a u32: the length of a question that follows, or the exit code. A question of
// the other kind is answered with a u32 length and as many bytes.
constexpr char kQuestion = '?';
constexpr char kOther = ':';
constexpr char kExit = '.';

std::string reply(char kind, std::uint32_t number, std::string_view text = {}) {
  Bytes encoded;
  append_be(encoded, number);
  return std::string(1, kind) + std::string(as_text(encoded)) + std::string(text);
}

// The node's end of one connection while its command runs.
class Conversation {
 public:
  explicit Conversation(int fd) : fd_(fd) {}

  // Called by the command's thread.
  bool confirm(std::string_view question) {
    const auto answer = ask(kQuestion, question.substr(0, kMaxQuestionBytes));
    return answer && as_text(*answer) == "y";
  }
  std::optional<Bytes> ask_other(ByteView question) {
    if (question.size() > kMaxQuestionBytes) return std::nullopt;
    return ask(kOther, as_text(question));
  }

  // Takes what has arrived. An answer that nobody asked for, or the end, means that they have left.
  void listen() {
    std::byte chunk[kMaxAnswerBytes];
    const ssize_t got = ::recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::lock_guard lock(mutex_);
    if (got > 0) arrived_.insert(arrived_.end(), chunk, chunk + got);
    if (got <= 0 || waiting_ == kNothing || !take_answer()) gone_ = true;
    answered_.notify_all();
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    answered_.notify_all();
  }
  const std::atomic<bool>& gone() const { return gone_; }

 private:
  static constexpr char kNothing = 0;

  std::optional<Bytes> ask(char kind, std::string_view text) {
    std::unique_lock lock(mutex_);
    answer_.reset();
    waiting_ = kind;
    if (gone_ || !send_all(fd_, reply(kind, static_cast<std::uint32_t>(text.size()), text))) return std::nullopt;
    answered_.wait(lock, [&] { return answer_ || gone_; });
    waiting_ = kNothing;
    return std::exchange(answer_, std::nullopt);
  }
  // @return whether what has arrived is an answer, or the beginning of one
  bool take_answer() {
    if (answer_) return false;
    if (waiting_ == kQuestion) {
      answer_ = std::exchange(arrived_, {});
      return as_text(*answer_) == "y" || as_text(*answer_) == "n";
    }
    if (arrived_.size() < 4) return true;
    const auto size = read_be<std::uint32_t>(arrived_);
    if (size > kMaxAnswerBytes || arrived_.size() > 4 + size) return false;
    if (arrived_.size() == 4 + size) {
      answer_.emplace(arrived_.begin() + 4, arrived_.end());
      arrived_.clear();
    }
    return true;
  }

  int fd_;
  std::mutex mutex_;
  std::condition_variable answered_;
  Bytes arrived_;
  std::optional<Bytes> answer_;
  char waiting_ = kNothing;
  std::atomic<bool> gone_{false};
};

}  // namespace

struct LocalServer::State {
  SocketAddress where;
  FileDescriptor listener;
  FileDescriptor wake_read, wake_write;
  CommandRunner run;
  std::thread acceptor;
  std::mutex mutex;
  std::condition_variable idle;
  std::size_t under_way = 0;
  std::atomic<bool> stopping{false};

  void accept_loop();
  void serve(FileDescriptor connection);
};

void LocalServer::State::accept_loop() {
  while (!stopping) {
    pollfd wait[2] = {{.fd = listener.get(), .events = POLLIN, .revents = 0},
                      {.fd = wake_read.get(), .events = POLLIN, .revents = 0}};
    if (::poll(wait, 2, -1) < 0 && errno != EINTR) return;
    if (stopping) return;
    FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid() || !is_same_user(connection.get())) continue;
    const std::lock_guard lock(mutex);
    if (under_way == kMaxCommands) continue;
    ++under_way;
    std::thread([this, fd = connection.release()] { serve(FileDescriptor(fd)); }).detach();
  }
}

void LocalServer::State::serve(FileDescriptor connection) {
  HandedCommand command;
  if (receive_command(connection.get(), command)) {
    Conversation conversation(connection.get());
    command.confirm = [&](std::string_view question) { return conversation.confirm(question); };
    command.ask = [&](ByteView question) { return conversation.ask_other(question); };
    std::atomic<bool> done{false};
    int code = 1;
    std::thread worker([&] {
      code = run(command, conversation.gone());
      done = true;
    });
    while (!done && !conversation.gone()) {
      pollfd wait{.fd = connection.get(), .events = POLLIN | POLLRDHUP, .revents = 0};
      if (::poll(&wait, 1, 20) > 0) conversation.listen();
      if (stopping) conversation.leave();
    }
    worker.join();
    send_all(connection.get(), reply(kExit, static_cast<std::uint32_t>(code)));
  }
  const std::lock_guard lock(mutex);
  --under_way;
  idle.notify_all();
}

LocalServer::LocalServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

LocalServer::~LocalServer() {
  state_->stopping = true;
  (void)!::write(state_->wake_write.get(), "x", 1);
  if (state_->acceptor.joinable()) state_->acceptor.join();
  ::unlink(state_->where.address.sun_path);
  std::unique_lock lock(state_->mutex);
  state_->idle.wait(lock, [&] { return state_->under_way == 0; });
}

Result<std::unique_ptr<LocalServer>> LocalServer::start(const std::filesystem::path& folder, CommandRunner run) {
  auto state = std::make_unique<State>();
  TRY(state->where, socket_address(folder));
  state->run = std::move(run);
  int wake[2];
  if (::pipe2(wake, O_CLOEXEC) != 0) return fail(Errc::io, "No pipe could be made: " + system_error_text(errno) + ".");
  state->wake_read = FileDescriptor(wake[0]);
  state->wake_write = FileDescriptor(wake[1]);
  state->listener = FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Whoever holds the vault's lock owns the socket; one that a killed node left behind is stale.
  ::unlink(state->where.address.sun_path);
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(state->listener.get(), as_sockaddr(state->where.address), sizeof(sockaddr_un)) == 0;
  ::umask(before);
  if (!bound || ::listen(state->listener.get(), SOMAXCONN) != 0)
    return fail(Errc::io, "The socket for local commands cannot be made: " + system_error_text(errno) + ".",
                folder.string());
  std::unique_ptr<LocalServer> server(new LocalServer(std::move(state)));
  server->state_->acceptor = std::thread([raw = server->state_.get()] { raw->accept_loop(); });
  return server;
}

Result<std::optional<int>> hand_over(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
                                     const Terminal& terminal) {
  const auto where = socket_address(folder);
  if (!where) return std::nullopt;
  const FileDescriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(connection.get(), as_sockaddr(where->address), sizeof(sockaddr_un)) != 0) return std::nullopt;
  if (!is_same_user(connection.get()))
    return fail(Errc::key_permissions,
                "A program of another user listens where this member's node should; nothing was handed to it. Look at "
                "who can write this folder.",
                folder.string());
  const std::string encoded = encode(arguments);
  if (encoded.size() > kMaxCommandBytes)
    return fail(Errc::limit, "The command line is too long to hand to the running node.");
  if (!send_greeting_with_streams(connection.get()) ||
      !send_all(connection.get(), std::string_view(encoded).substr(kGreeting.size())))
    return fail(Errc::io, "The running node did not take the command. Is it of another version? Stop it and try again.",
                folder.string());
  for (;;) {
    ByteArray<5> head;
    if (!receive_all(connection.get(), head, Deadline::max())) break;
    const char kind = static_cast<char>(head[0]);
    const auto number = read_be<std::uint32_t>(ByteView(head).subspan(1));
    if (kind == kExit) return static_cast<int>(number);
    if ((kind != kQuestion && kind != kOther) || number > kMaxQuestionBytes) break;
    Bytes question(number);
    if (!receive_all(connection.get(), question, deadline_in(kHandOverLimit))) break;
    std::string answer;
    if (kind == kOther)
      append_text(answer, as_text(terminal.answer(question)));
    else
      answer = terminal.confirm(as_text(question)) ? "y" : "n";
    if (!send_all(connection.get(), answer)) break;
  }
  return fail(Errc::io,
              "The running node ended, or took the command for one of another version, before the command was done.",
              folder.string());
}

}  // namespace parley::node
