#include "log/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"

namespace parley::log {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kBlanks = " \t";

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t begin = line.find_first_not_of(kBlanks); begin != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

/// Takes the lines one after the other, each against all before it.
class PolicyReader {
 public:
  Status take(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) return {};
    if (words[0] == "log") return log(words);
    if (words[0] == "witness") return witness(words);
    if (words[0] == "group") return group(words);
    if (words[0] == "quorum") return quorum(words);
    return refuse("a line must begin with log, witness, group or quorum");
  }

  Result<Policy> finish() {
    if (policy_.quorum.empty()) return refuse("exactly one line must name the quorum");
    return std::move(policy_);
  }

 private:
  using Words = std::vector<std::string_view>;

  std::unexpected<Error> refuse(std::string_view why, Errc code = Errc::format) const {
    return fail(code, fmt::format("Not a trust policy: {}.", why));
  }

  Result<VerifierKey> key(std::string_view text, KeyType type) {
    TRY(VerifierKey key, parse_vkey(text));
    if (key.type != type) return refuse("a key is not of the type that its line asks for");
    if (!keys_.insert(key.key).second) return refuse("a public key stands in it twice");
    return key;
  }

  /// Defines a name. Witnesses and groups share them.
  Status define(std::string_view name) {
    if (name == kNone) return refuse("none is no name of a witness or group");
    if (!used_.emplace(name, false).second) return refuse(fmt::format("the name {} is defined twice", visible(name)));
    return {};
  }

  Status log(const Words& words) {
    if (words.size() < 2 || words.size() > 3) return refuse("a log has a key and perhaps an address");
    if (policy_.logs.size() == kMaxPolicyNames) return refuse("it has too many logs", Errc::limit);
    TRY(VerifierKey key, this->key(words[1], KeyType::ed25519));
    policy_.logs.push_back({std::move(key), words.size() > 2 ? std::string(words[2]) : std::string()});
    return {};
  }

  Status witness(const Words& words) {
    if (words.size() < 3 || words.size() > 4) return refuse("a witness has a name, a key and perhaps an address");
    if (policy_.witnesses.size() == kMaxPolicyNames) return refuse("it has too many witnesses", Errc::limit);
    TRY_STATUS(define(words[1]));
    TRY(VerifierKey key, this->key(words[2], KeyType::cosignature));
    policy_.witnesses.push_back(
        {std::string(words[1]), std::move(key), words.size() > 3 ? std::string(words[3]) : std::string()});
    return {};
  }

  Status group(const Words& words) {
    if (words.size() < 4) return refuse("a group has a name, a threshold and members");
    if (policy_.groups.size() == kMaxPolicyNames) return refuse("it has too many groups", Errc::limit);
    Policy::Group group{std::string(words[1]), 0, {words.begin() + 3, words.end()}};
    for (const std::string& member : group.members) {
      const auto name = used_.find(member);
      if (name == used_.end()) return refuse(fmt::format("{} is not defined before its use", visible(member)));
      if (std::exchange(name->second, true)) return refuse(fmt::format("{} is a member twice", visible(member)));
    }
    TRY_STATUS(define(words[1]));
    TRY(group.threshold, threshold(words[2], group.members.size()));
    policy_.groups.push_back(std::move(group));
    return {};
  }

  Result<std::size_t> threshold(std::string_view word, std::size_t member_count) const {
    if (word == "any") return 1;
    if (word == "all") return member_count;
    std::size_t threshold = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), threshold);
    if (error != std::errc() || end != word.data() + word.size() || word[0] == '0' || threshold > member_count)
      return refuse("a threshold must be any, all, or from 1 to the number of members");
    return threshold;
  }

  Status quorum(const Words& words) {
    if (words.size() != 2 || !policy_.quorum.empty()) return refuse("exactly one line must name the quorum");
    if (words[1] != kNone && used_.find(words[1]) == used_.end())
      return refuse(fmt::format("the quorum {} is not defined before its use", visible(words[1])));
    policy_.quorum = words[1];
    return {};
  }

  Policy policy_;
  std::set<ByteArray<32>> keys_;
  std::map<std::string, bool, std::less<>> used_;  // defined names, and whether they are members of a group
};

std::string with_url(std::string line, const std::string& url) {
  return url.empty() ? line + "\n" : fmt::format("{} {}\n", line, url);
}

bool is_policy_character(char c) {
  return c == '\t' || c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

}  // namespace

bool Policy::is_quorum(std::span<const std::size_t> cosigned) const {
  if (quorum == kNone) return true;
  std::map<std::string_view, bool> witnessed;
  for (std::size_t i = 0; i < witnesses.size(); ++i)
    witnessed[witnesses[i].name] = std::ranges::find(cosigned, i) != cosigned.end();
  for (const Group& group : groups) {
    const auto count = std::ranges::count_if(group.members, [&](const std::string& name) { return witnessed[name]; });
    witnessed[group.name] = static_cast<std::size_t>(count) >= group.threshold;
  }
  return witnessed[quorum];
}

Result<Policy> parse_policy(std::string_view text) {
  if (text.size() > kMaxPolicyBytes) {
    return fail(Errc::limit, fmt::format("A trust policy of {} bytes is longer than its limit of {}.", text.size(),
                                         kMaxPolicyBytes));
  }
  if (!std::ranges::all_of(text, is_policy_character))
    return fail(Errc::format, "Not a trust policy: it has control characters.");
  PolicyReader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return fail(Errc::format, "Not a trust policy: its last line has no end.");
    if (Status taken = reader.take(text.substr(0, end)); !taken)
      return std::unexpected(std::move(taken).error().at(fmt::format("line {}", number)));
    text.remove_prefix(end + 1);
  }
  return reader.finish();
}

std::string write_policy(const Policy& policy) {
  std::string out;
  for (const Policy::Log& log : policy.logs) out += with_url("log " + log.key.text(), log.url);
  for (const Policy::Witness& witness : policy.witnesses)
    out += with_url(fmt::format("witness {} {}", witness.name, witness.key.text()), witness.url);
  for (const Policy::Group& group : policy.groups)
    out += fmt::format("group {} {} {}\n", group.name, group.threshold, fmt::join(group.members, " "));
  return out + fmt::format("quorum {}\n", policy.quorum);
}

Result<TrustedCheckpoint> verify_checkpoint(std::string_view note, const Policy& policy) {
  if (note.size() > kMaxCheckpointBytes) {
    return fail(Errc::limit, fmt::format("A checkpoint note of {} bytes is longer than its limit of {}.", note.size(),
                                         kMaxCheckpointBytes));
  }
  TRY(const Note parsed, parse_note(note));
  const std::string_view origin = std::string_view(parsed.text).substr(0, parsed.text.find('\n'));
  std::vector<VerifierKey> cosigners;
  for (const Policy::Witness& witness : policy.witnesses) cosigners.push_back(witness.key);
  // Logs of one origin are one log with several keys: whichever of them signed.
  for (std::size_t i = 0; i < policy.logs.size(); ++i) {
    const VerifierKey& key = policy.logs[i].key;
    const bool signs = std::ranges::any_of(parsed.signatures, [&](const NoteSignature& signature) {
      return signature.name == key.name && signature.key_id == key.id();
    });
    if (key.name != origin || !signs) continue;
    TRY(CosignedCheckpoint read, read_cosigned(note, key, cosigners));
    std::vector<std::size_t> positions;
    for (const Cosigner& cosigner : read.cosigners) positions.push_back(cosigner.key);
    if (!policy.is_quorum(positions)) {
      return fail(Errc::signature, fmt::format("The checkpoint is cosigned by {} witnesses that the policy knows; that "
                                               "is not its quorum {}.",
                                               positions.size(), visible(policy.quorum)));
    }
    return TrustedCheckpoint{std::move(read.checkpoint), i, std::move(read.cosigners)};
  }
  return fail(Errc::signature, "The checkpoint is signed by no log that the policy knows.");
}

}  // namespace parley::log
