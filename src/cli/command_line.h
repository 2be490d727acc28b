// What a command line may say: commands, their options and their arguments. CLI11 reads it, behind this one door, since
// each file that includes it compiles ten seconds longer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace parley::cli {

/// What a value must be, beside its type.
class Check {
 public:
  /// @param refusal  says what is wrong with a text; empty when nothing is
  /// @param kind     what help calls such a value
  explicit Check(std::function<std::string(const std::string& text)> refusal, const std::string& kind = "");

 private:
  friend class Option;
  friend Check is_member(const std::vector<std::string>& names);
  friend Check in_range(int, int);
  friend Check in_range(std::int64_t, std::int64_t);
  friend Check in_range(std::uint64_t, std::uint64_t);
  friend Check in_range(double, double);
  explicit Check(CLI::Validator validator);

  std::shared_ptr<const CLI::Validator> validator_;
};

Check is_member(const std::vector<std::string>& names);
/// Both ends are allowed.
Check in_range(int least, int most);
Check in_range(std::int64_t least, std::int64_t most);
Check in_range(std::uint64_t least, std::uint64_t most);
Check in_range(double least, double most);

/// An option or an argument of a command. It lives as long as its command.
class Option {
 public:
  Option* required();
  Option* check(const Check& check);  ///< of each value
  Option* delimiter(char between);    ///< several values may stand in one word
  Option* capture_default_str();      ///< help says what stands in its variable now
  Option* one_value_each_time();      ///< of a list: what follows the value is no value
  Option* excludes(Option* other);    ///< both together are refused
  Option* excludes(const std::string& name);
  Option* needs(Option* other);  ///< alone it is refused
  Option* needs(const std::string& name);

 private:
  friend class Command;
  explicit Option(CLI::Option* of) : of_(of) {}

  CLI::Option* of_;
};

/// A command. It lives as long as the command above it; parsing fills the variables that its options name.
class Command {
 public:
  Command(const std::string& about, const std::string& name);  ///< the program
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command* add_subcommand(const std::string& name, const std::string& about);
  Option* add_flag(const std::string& names, bool& into, const std::string& about);
  /// @param names  "--name" or "-n,--name" for an option, "NAME" for an argument
  Option* add_option(const std::string& names, std::string& into, const std::string& about);
  Option* add_option(const std::string& names, std::vector<std::string>& into, const std::string& about);
  Option* add_option(const std::string& names, std::optional<std::string>& into, const std::string& about);
  Option* add_option(const std::string& names, int& into, const std::string& about);
  Option* add_option(const std::string& names, std::int64_t& into, const std::string& about);
  Option* add_option(const std::string& names, std::uint64_t& into, const std::string& about);
  Option* add_option(const std::string& names, double& into, const std::string& about);
  Option* add_option(const std::string& names, std::optional<std::int64_t>& into, const std::string& about);
  Option* add_option(const std::string& names, std::optional<std::uint64_t>& into, const std::string& about);

  Command* require_subcommand(std::size_t exactly);
  Command* require_subcommand(std::size_t least, std::size_t most);
  Command* callback(std::function<void()> chosen);  ///< when the command line chose this command
  void set_version_flag(const std::string& name, const std::string& version);
  void footer(const std::string& text);  ///< of help

  /// Reads a command line, without the program's name, and calls what the chosen command asked to be called.
  /// @error Errc::usage, in CLI11's words
  Status parse(const std::vector<std::string>& arguments);
  /// The same at a terminal: says help, the version, or what is wrong. @return nothing, or the exit code: 0 or 2
  std::optional<int> parse_or_say(const std::vector<std::string>& arguments);

  std::string name() const;
  std::vector<Command*> subcommands() const;  ///< all, in the order in which they were added
  bool needs_subcommand() const;              ///< it does nothing by itself
  const Command* chosen() const;              ///< the subcommand that the parsed command line chose; nullptr: none
  /// Of all arguments that are no options, in their order, what was given, or what stands for it.
  std::vector<std::string> arguments() const;

 private:
  explicit Command(CLI::App* of);
  template <typename Value>
  Option* add(const std::string& names, Value& into, const std::string& about);

  std::unique_ptr<CLI::App> program_;  ///< of the topmost
  CLI::App* of_;
  std::vector<std::unique_ptr<Command>> below_;
  std::deque<Option> options_;
};

}  // namespace parley::cli
