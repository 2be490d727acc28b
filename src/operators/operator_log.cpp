#include "operators/operator_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

namespace parley::operators {
namespace {

using log::Json;

constexpr std::string_view kAccountSetting = "operator-log";
constexpr std::size_t kMaxAccountBytes = 1 << 18;
constexpr std::size_t kMaxWordsBytes = 16 * 1024;
constexpr std::size_t kMaxFrontierBytes = 8 + 64 * sizeof(Digest);
constexpr std::size_t kMaxFrontierCharacters = (kMaxFrontierBytes + 2) / 3 * 4;
/// Between the records that an act of a person is placed behind and its signature, others may be written.
constexpr int kMostAttempts = 16;
constexpr std::string_view kHeadDomain{"parley/operator-log/head/v1\0", 28};

Secret<32> derived(const Secret<32>& key, std::string_view use) {
  return crypto::hkdf_sha256<32>(key.expose(), {}, as_bytes(fmt::format("parley/operator-log/{}/v1", use)));
}

std::string request_setting(std::uint64_t seq) {
  return fmt::format("operator-request {}", seq);
}

/// As a record can have it.
std::string fitting(std::string_view text) {
  std::string fits = visible(text).substr(0, kMaxDetailBytes);
  while (!is_valid_utf8(fits)) fits.pop_back();
  return fits;
}

/// What the vault keeps beside the records, written with each.
struct Account {
  log::Frontier tree;
  Digest last{};
  Roster roster;
  UnixSeconds time = 0;
};

std::string write_account(const Account& account) {
  return log::write_pjson(Json::Object{{"edge", to_base64(account.tree.serialise())},
                                       {"last", to_hex(account.last)},
                                       {"roster", account.roster.to_json()},
                                       {"time", account.time}});
}

Result<Account> read_account(std::string_view text) {
  TRY(const Json json, log::parse_pjson(text, kMaxAccountBytes));
  log::ObjectReader reader(json, "the account of the operator log");
  Account account;
  const std::string edge = reader.text("edge", kMaxFrontierCharacters);
  account.last = reader.digest("last");
  const Json roster = reader.object("roster");
  account.time = reader.integer("time", 0, log::kMaxInteger);
  TRY_STATUS(reader.finish());
  TRY(account.roster, Roster::from_json(roster));
  const auto bytes = from_base64(edge);
  if (!bytes) return fail(Errc::format, "The account of the operator log has no edge of a tree.");
  TRY(account.tree, log::Frontier::parse(*bytes));
  return account;
}

std::unexpected<Error> not_written(Error error) {
  error.message = "Nothing was done, since the operator log could not be written first: " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace

// --- heads ----------------------------------------------------------------------------------------------------------

Digest commit_to_head(const ByteArray<32>& salt, std::uint64_t size, const Digest& root) {
  Bytes message = to_bytes(kHeadDomain);
  message.insert(message.end(), salt.begin(), salt.end());
  append_be(message, size);
  message.insert(message.end(), root.begin(), root.end());
  return crypto::sha256(message);
}

Json HiddenHead::to_json() const {
  return Json::Object{{"head", to_hex(commitment)}, {"opening", to_base64(opening)}};
}

Result<HiddenHead> HiddenHead::from_json(const Json& json) {
  log::ObjectReader reader(json, "the head of an operator log");
  HiddenHead head;
  head.commitment = reader.digest("head");
  const Bytes opening = reader.bytes("opening", kOpeningBytes);
  TRY_STATUS(reader.finish());
  std::ranges::copy(opening, head.opening.begin());
  return head;
}

HiddenHead OperatorLog::head() {
  const auto salt = random_bytes<32>();
  const std::lock_guard lock(mutex_);
  last_time_ = std::max(last_time_, wall_clock_now());  // no later record says that it was earlier
  Bytes opening = to_bytes(salt);
  append_be(opening, tree_.size());
  HiddenHead head{.commitment = commit_to_head(salt, tree_.size(), tree_.root()), .opening = {}};
  std::ranges::copy(crypto::seal(head_key_, opening, as_bytes(kHeadDomain)), head.opening.begin());
  return head;
}

std::optional<OpenedHead> OperatorLog::open_head(const HiddenHead& head) const {
  const auto plain = crypto::open(head_key_, head.opening, as_bytes(kHeadDomain));
  OpenedHead opened;
  if (!plain || plain->size() != opened.salt.size() + sizeof(opened.size)) return std::nullopt;
  std::ranges::copy(plain->expose().first(opened.salt.size()), opened.salt.begin());
  opened.size = read_be<std::uint64_t>(plain->expose().subspan(opened.salt.size()));
  return opened;
}

// --- opening --------------------------------------------------------------------------------------------------------

OperatorLog::OperatorLog(vault::Vault& vault, const Secret<32>& key)
    : vault_(vault),
      subjects_(derived(key, "subject")),
      head_key_(derived(key, "head")),
      node_key_(derived(key, "node")) {}

Result<std::unique_ptr<OperatorLog>> OperatorLog::open(vault::Vault& vault) {
  std::unique_ptr<OperatorLog> opened(new OperatorLog(vault, vault.subkey(vault::Subkey::operator_log)));
  TRY_STATUS(opened->load());
  return opened;
}

Status OperatorLog::load() {
  TRY(const auto account, vault_.setting(kAccountSetting));
  TRY(const std::uint64_t next, vault_.next_operator_record());
  bool fits = true;
  if (account) {
    auto read = read_account(*account);
    fits = read.has_value();
    if (read) {
      roster_ = std::move(read->roster);
      tree_ = std::move(read->tree);
      last_ = read->last;
      last_time_ = read->time;
    }
  }
  fits = fits && next == tree_.size();
  if (fits && next > 0) {
    TRY(const auto newest, vault_.operator_records(next - 1, 1));
    fits = newest.size() == 1 && leaf_of(newest[0].record, newest[0].signature) == last_;
  }
  if (!fits)
    sound_ =
        fail(Errc::vault_damaged,
             fmt::format("The operator log was changed from outside: it counted {} records and holds {}, or its last "
                         "one is another. parley operator verify names the first that is wrong; nothing is done "
                         "without a record until the vault is put back from a backup.",
                         tree_.size(), next));
  return {};
}

log::Frontier OperatorLog::tree() const {
  const std::lock_guard lock(mutex_);
  return tree_;
}

Roster OperatorLog::roster() const {
  const std::lock_guard lock(mutex_);
  return roster_;
}

std::uint64_t OperatorLog::size() const {
  const std::lock_guard lock(mutex_);
  return tree_.size();
}

// --- writing --------------------------------------------------------------------------------------------------------

Result<Roster> OperatorLog::place(Record& draft) const {
  TRY_STATUS(sound_);
  draft.seq = tree_.size();
  draft.prev = last_;
  draft.time = std::max(wall_clock_now(), last_time_);
  Roster roster = roster_;
  TRY_STATUS(roster.apply(draft, subjects_));
  return roster;
}

Status OperatorLog::write(const Record& record, std::string_view text, const crypto::Signature& signature,
                          Roster roster, const Also& also) {
  Account account{.tree = tree_, .last = leaf_of(text, signature), .roster = std::move(roster), .time = record.time};
  account.tree.append(account.last);
  const Status written = vault_.together([&]() -> Status {
    TRY_STATUS(vault_.add_operator_record({record.seq, std::string(text), Bytes(signature.begin(), signature.end())}));
    TRY_STATUS(vault_.put_setting(kAccountSetting, write_account(account)));
    // Words that nobody can confirm any more are not kept: used, refused, expired, or of an operator who was removed.
    for (const auto& [seq, request] : roster_.requests())
      if (!account.roster.requests().contains(seq)) TRY_STATUS(vault_.remove_setting(request_setting(seq)));
    return also ? also(record) : Status{};
  });
  if (!written) return not_written(written.error());
  roster_ = std::move(account.roster);
  tree_ = std::move(account.tree);
  last_ = account.last;
  last_time_ = account.time;
  return {};
}

Result<Record> OperatorLog::append(Record draft, Signer* person, const Also& also) {
  draft.by = kNodeName;
  if (person != nullptr) {
    const bool told_apart = [&] {
      const std::lock_guard lock(mutex_);
      return !roster_.operators().empty();
    }();
    draft.by.clear();
    if (told_apart) {
      TRY(draft.by, person->name());
      if (draft.by == kNodeName) return fail(Errc::policy, "No person has the name of the node.");
    }
  }
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    std::string text;
    OperatorKey key;
    {
      const std::lock_guard lock(mutex_);
      TRY(Roster roster, place(draft));
      text = write_record(draft);
      if (text.size() > kMaxRecordBytes) return fail(Errc::limit, "What is to be recorded is too long.");
      const auto known = roster_.operators().find(draft.by);
      if (known == roster_.operators().end()) {
        TRY_STATUS(write(draft, text, sign_record(node_key_, text), std::move(roster), also));
        return draft;
      }
      key = known->second.key;
    }
    // A person may have to type a passphrase: nobody waits for that.
    TRY(const crypto::Signature signature, person->sign(key, text));
    if (!verify_record(key.key, text, signature))
      return fail(Errc::passphrase, fmt::format("The record was not signed with the key of {}.", visible(draft.by)));
    const std::lock_guard lock(mutex_);
    if (tree_.size() != draft.seq) continue;
    Record same_place = draft;
    TRY(Roster roster, place(same_place));
    TRY_STATUS(write(draft, text, signature, std::move(roster), also));
    return draft;
  }
  return fail(Errc::policy, "The operator log is written all the time; nothing was done. Try again.");
}

Status OperatorLog::append_by(Signer& person, Record draft) {
  TRY([[maybe_unused]] const Record record, append(std::move(draft), &person));
  return {};
}

Result<OperatorLog::Begun> OperatorLog::begin(Act act, std::string_view command, const Digest& subject,
                                              Signer& person) {
  TRY(const Record record,
      append({.kind = Kind::act, .act = act, .detail = fitting(command), .subject = subject}, &person));
  return Begun{record.seq};
}

Result<OperatorLog::Begun> OperatorLog::begin_by_node(Act act, std::string_view command, const Digest& subject) {
  TRY(const Record record,
      append({.kind = Kind::act, .act = act, .detail = fitting(command), .subject = subject}, nullptr));
  return Begun{record.seq};
}

Status OperatorLog::end(const Begun& begun, std::string_view outcome) {
  TRY([[maybe_unused]] const Record record,
      append({.kind = Kind::outcome, .detail = fitting(outcome), .of = begun.seq}, nullptr));
  return {};
}

// --- operators and rules --------------------------------------------------------------------------------------------

Status OperatorLog::add(const std::string& name, const OperatorKey& key, Signer& person) {
  Record draft{.kind = Kind::add, .name = name, .detail = key.line()};
  const Roster now = roster();
  TRY_STATUS(now.check_add(name, key));
  if (!now.rules().empty()) {
    TRY(draft.of, confirmed(kOperatorAdd, words_of_add(name, draft.detail), person));
  }
  return append_by(person, std::move(draft));
}

Status OperatorLog::remove(const std::string& name, Signer& person) {
  Record draft{.kind = Kind::remove, .name = name};
  const Roster now = roster();
  TRY_STATUS(now.check_remove(name));
  if (!now.rules().empty()) {
    TRY(draft.of, confirmed(kOperatorRemove, words_of_remove(name), person));
  }
  return append_by(person, std::move(draft));
}

Status OperatorLog::set_rule(Rule rule, bool on, Signer& person) {
  Record draft{.kind = Kind::rule, .name = std::string(name_of(rule)), .detail = on ? "on" : "off"};
  if (!on && roster().rules().contains(rule)) {
    TRY(draft.of, confirmed(kRuleOff, words_of_rule_off(rule), person));
  }
  return append_by(person, std::move(draft));
}

// --- the second person ----------------------------------------------------------------------------------------------

Result<std::uint64_t> OperatorLog::confirmed(std::string_view rule, std::string_view words, Signer& person) {
  if (words.size() > kMaxWordsBytes)
    return fail(Errc::limit, "That is too much for a second person to read; do it in smaller parts.");
  TRY(const std::string name, person.name());
  const Digest subject = subjects_.of(kRequestSubject, words);
  std::uint64_t seq = 0;
  const Roster now = roster();
  if (const Request* made = now.request(rule, name, subject, wall_clock_now())) {
    if (!made->confirmed_by.empty()) return made->seq;
    seq = made->seq;
  } else {
    TRY(const Record record,
        append({.kind = Kind::request, .name = std::string(rule), .subject = subject}, &person,
               [&](const Record& placed) { return vault_.put_setting(request_setting(placed.seq), words); }));
    seq = record.seq;
  }
  return fail(Errc::policy,
              fmt::format("That needs a second person, and nothing was done yet: it waits as request {0}. Another "
                          "operator runs parley operator confirm {0}; then run the same command again.",
                          seq));
}

Status OperatorLog::ask_second(Rule rule, std::string_view words, Signer& person) {
  if (!roster().needs_two(rule)) return {};
  TRY(const std::uint64_t request, confirmed(name_of(rule), words, person));
  return append_by(person, {.kind = Kind::use,
                            .name = std::string(name_of(rule)),
                            .subject = subjects_.of(kRequestSubject, words),
                            .of = request});
}

Result<std::vector<OperatorLog::Waiting>> OperatorLog::waiting() const {
  std::vector<Waiting> all;
  const UnixSeconds now = wall_clock_now();
  const Roster standing = roster();
  for (const auto& [seq, request] : standing.requests()) {
    if (now >= request.time + kRequestLifeSeconds) continue;
    TRY(const auto words, vault_.setting(request_setting(seq)));
    if (!words || subjects_.of(kRequestSubject, *words) != request.subject)
      return fail(Errc::vault_damaged, fmt::format("The words of request {} are not those that were asked for. Have "
                                                   "whoever made it make it anew, and look for who changed them.",
                                                   seq));
    all.push_back({request, *words});
  }
  return all;
}

Status OperatorLog::confirm(const Waiting& waiting, Signer& person) {
  return append_by(
      person,
      {.kind = Kind::confirm, .subject = subjects_.of(kRequestSubject, waiting.words), .of = waiting.request.seq});
}

Status OperatorLog::refuse(const Waiting& waiting, Signer& person) {
  return append_by(person, {.kind = Kind::refuse, .of = waiting.request.seq});
}

}  // namespace parley::operators
