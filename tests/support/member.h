// Members as their users meet them: a folder, a key file, commands, a node.
#pragma once

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/encoding.h"
#include "support/process.h"
#include "support/temporary_folder.h"
#include "vault/vault.h"

namespace parley::program {

using Json = nlohmann::json;

/// A line that begins a message for people, wherever it stands: errors are sentences after "parley: ".
inline ::testing::AssertionResult says(const Ended& ended, int code, std::string_view text) {
  if (ended.code == code && ended.err.find(text) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "exit code " << ended.code << " (expected " << code << "), \"" << text
                                       << "\" expected in:\n"
                                       << ended.err << "and on standard output:\n"
                                       << ended.out;
}

#define EXPECT_SAYS(ended, code, text) EXPECT_TRUE(::parley::program::says(ended, code, text))

/// One member of a test. It opens its vault with a key file, since a passphrase costs half a second a command.
class Member {
 public:
  explicit Member(const std::string& name) : name_(name) {
    const Ended made = run({"init", name});
    EXPECT_EQ(made.code, 0) << made.err;
  }

  const std::string& name() const { return name_; }
  std::filesystem::path home() const { return folder_ / "home"; }
  std::filesystem::path folder() const { return folder_.path(); }
  std::map<std::string, std::string> environment() const {
    return {{"PARLEY_HOME", home().string()}, {"PARLEY_KEY_FILE", (folder_ / "key").string()}};
  }

  /// What opens its vault.
  vault::Unlock unlock() const {
    const auto key = from_hex(read_text(folder_ / "key").substr(0, 64));
    vault::Unlock unlock;
    unlock.key_file = Secret<32>(ByteView(*key).first<32>());
    return unlock;
  }

  /// A file beside the member's folder. @return its whole path
  std::string file(std::string_view name, std::string_view content) const {
    write_text(folder_ / name, content);
    return (folder_ / name).string();
  }

  Launch launch(std::vector<std::string> arguments) const {
    Launch launch;
    launch.arguments = std::move(arguments);
    launch.environment = environment();
    launch.working_folder = folder_.path();
    return launch;
  }
  Ended run(std::vector<std::string> arguments) const { return program::run(launch(std::move(arguments))); }

  /// The output of a command that must succeed.
  std::string output(std::vector<std::string> arguments) const {
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 0) << arguments[0] << ": " << ended.err;
    return ended.out;
  }
  Json json(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const std::string text = output(std::move(arguments));
    Json json = Json::parse(text, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << text;
    return json;
  }

  /// Imports a table of this member's own.
  void import(std::string_view content, std::vector<std::string> options = {},
              std::string_view name = "own.csv") const {
    options.insert(options.begin(), {"import", file(name, content)});
    output(std::move(options));
  }
  std::string exported() const { return output({"export", "--canonical"}); }

 private:
  TemporaryFolder folder_;
  std::string name_;
};

/// A member's running node on a free port; it is stopped when it goes.
class Node {
 public:
  explicit Node(const Member& member, const std::string& accept = "all", const std::vector<std::string>& options = {})
      : process_(member.launch([&] {
          std::vector<std::string> line{"serve", "--listen", "127.0.0.1:0", "--accept", accept};
          line.insert(line.end(), options.begin(), options.end());
          return line;
        }())) {
    constexpr std::string_view kListens = " listens on ";
    const std::string line = process_.line_of_out(kListens);
    if (!line.empty()) address_ = line.substr(line.find(kListens) + kListens.size());
  }
  const std::string& address() const { return address_; }
  Process& process() { return process_; }
  /// Waits for a line of the node's log.
  std::string logged(std::string_view text) { return process_.line_of_err(text); }
  Ended stop() {
    process_.signal(SIGTERM);
    return process_.wait();
  }

 private:
  Process process_;
  std::string address_;
};

inline std::string card_of(const Member& member) {
  std::string card = member.output({"id"});
  while (!card.empty() && card.back() == '\n') card.pop_back();
  return card;
}

inline void add_peer(const Member& member, const std::string& name, const Member& peer, const std::string& address) {
  const Ended added = member.run({"peer", "add", name, card_of(peer), address});
  EXPECT_EQ(added.code, 0) << added.err;
}

/// A date so many days from now, as options take it.
inline std::string date_in(int days) {
  return to_rfc3339(wall_clock_now() + days * 86'400);
}

/// The last two groups of a member's fingerprint, as they would be read aloud.
inline std::string spoken(const Member& member) {
  const std::string fingerprint = member.json({"id"}).at("fingerprint");
  return fingerprint.substr(fingerprint.size() - 9);
}

/// The path that a command printed.
inline std::string file_of(const std::string& out) {
  return out.substr(0, out.find('\n'));
}

/// Both have pinned each other; now they confirm, draft, join and sign a charter under which everything may be asked,
/// and admit all that they hold.
/// @param admission  which types enter by tags
inline void form_group(const Member& one, const std::string& name_of_other, const Member& other,
                       const std::string& name_of_one, const std::string& group = "joint",
                       const std::string& admission = "none") {
  one.output({"confirm", name_of_other, spoken(other)});
  other.output({"confirm", name_of_one, spoken(one)});
  const std::string draft =
      file_of(one.output({"group", "draft", group, "--purpose", "Tests", "--until", date_in(30), "--allow",
                          "all:intersection", "--allow", "all:count", "--admission", admission, "--caps",
                          "max_sessions_day=1000,max_matches_revealed_30d=1000000,max_probe_"
                          "items_30d=50000000,max_probe_items_group_30d=50000000"}));
  const std::string keys = file_of(other.output({"group", "join", group, draft, "--yes"}));
  one.output({"group", "take", keys});
  const std::string signed_by_one = file_of(one.output({"group", "sign", group, "--yes"}));
  other.output({"group", "take", signed_by_one});
  one.output({"group", "take", file_of(other.output({"group", "sign", group, "--yes"}))});
  for (const Member* member : {&one, &other}) member->output({"group", "admit", group, "--all"});
}

/// Both pin each other and form a group.
inline void meet(const Member& one, const std::string& name_of_other, const Member& other,
                 const std::string& address_of_other, const std::string& name_of_one, const std::string& address_of_one,
                 const std::string& group = "joint", const std::string& admission = "none") {
  add_peer(one, name_of_other, other, address_of_other);
  add_peer(other, name_of_one, one, address_of_one);
  form_group(one, name_of_other, other, name_of_one, group, admission);
}

/// A table of indicators as `import` takes it.
inline std::string table(const std::vector<std::string>& rows, std::string_view header = "type,value") {
  std::string text(header);
  text += '\n';
  for (const std::string& row : rows) text += row + '\n';
  return text;
}

/// The "type<TAB>value" lines of an answer's matches, sorted, as `export --canonical` prints them.
inline std::vector<std::string> match_lines(const Json& answer) {
  std::vector<std::string> lines;
  for (const Json& match : answer.at("matches"))
    lines.push_back(match.at("type").get<std::string>() + "\t" + match.at("value").get<std::string>());
  std::ranges::sort(lines);
  return lines;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// alpha's node answers; bravo asks it from the command line, without a node of its own.
class TwoMembers {
 public:
  explicit TwoMembers(const std::string& accept = "all") : node_(std::make_unique<Node>(alpha_, accept)) { meet(); }
  /// alpha and bravo have material before the node of alpha starts.
  const Member& alpha() const { return alpha_; }
  const Member& bravo() const { return bravo_; }
  Node& node() { return *node_; }

  Ended ask(std::vector<std::string> options) const {
    options.insert(options.begin(), {"ask", "alpha", "--yes"});
    return bravo_.run(std::move(options));
  }
  /// The answer to a question that must succeed.
  Json answer(std::vector<std::string> options) const {
    options.insert(options.begin(), {"ask", "alpha", "--yes"});
    return bravo_.json(std::move(options));
  }

 private:
  void meet() { program::meet(alpha_, "bravo", bravo_, "127.0.0.1:1", "alpha", node_->address()); }

  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
  std::unique_ptr<Node> node_;
};

}  // namespace parley::program
