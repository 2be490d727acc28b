// How the commands of a member reach its running node: a socket in the member's folder that only its user can open. A
// command is handed over whole, with its terminal, and runs inside the node, which owns the vault.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"

namespace parley::node {

/// A command as it was typed, with the standard streams of whoever typed it.
struct HandedCommand {
  std::vector<std::string> arguments;  ///< without the program's name
  std::filesystem::path working_folder;
  std::array<FileDescriptor, 3> streams;  ///< in, out, error
  /// Has whoever typed the command asked yes or no, by the program that holds their terminal: a node in the background
  /// of a terminal may not read from it. No when they have left.
  std::function<bool(std::string_view question)> confirm;
  /// Asks that program for something else, in words that it and the command agree on. Nothing when they have left.
  std::function<std::optional<Bytes>(ByteView question)> ask;
};

/// Runs a command and returns its exit code. `gone` turns true when whoever typed it has left (Ctrl-C, a closed
/// terminal).
using CommandRunner = std::function<int(HandedCommand& command, const std::atomic<bool>& gone)>;

/// The node's end.
class LocalServer {
 public:
  /// @error Errc::io
  static Result<std::unique_ptr<LocalServer>> start(const std::filesystem::path& folder, CommandRunner run);
  /// Takes no more commands, waits for those under way and removes the socket.
  ~LocalServer();

 private:
  struct State;
  explicit LocalServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What the program that holds the terminal does for a command in the node.
struct Terminal {
  std::function<bool(std::string_view question)> confirm;  ///< asks the person yes or no
  std::function<Bytes(ByteView question)> answer;          ///< to HandedCommand::ask; at most kMaxAnswerBytes
};
inline constexpr std::size_t kMaxAnswerBytes = 4096;

/// Hands a command to the node of `folder`, if one runs, and waits for it. @return its exit code; nothing when no node
/// runs.
/// @error Errc::io, Errc::unsupported when the node is of another version
Result<std::optional<int>> hand_over(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
                                     const Terminal& terminal);

}  // namespace parley::node
