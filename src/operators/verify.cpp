#include "operators/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "log/entry.h"
#include "log/entry_type.h"

namespace parley::operators {
namespace {

constexpr std::uint64_t kRowsAtOnce = 1000;
/// A head and the entry that has it are not of one second, and neither are the clocks that give their times.
constexpr UnixSeconds kTimeSlackSeconds = 300;

// What is not the chain's own business stands in heads: roots are needed at these sizes.
using Roots = std::map<std::uint64_t, Digest>;

struct Opened {
  const PublishedHead* published = nullptr;
  OpenedHead head;
};

std::string place_of(const PublishedHead& head) {
  return fmt::format("entry {} of our log {} ({}; held by {})", head.entry, visible(head.origin), to_rfc3339(head.time),
                     head.holders.empty() ? "nobody else yet" : fmt::format("{}", fmt::join(head.holders, ", ")));
}

/// The records one after the other, each held against those before it.
class Walk {
 public:
  Walk(const OperatorLog& log, Roots& roots, std::map<std::uint64_t, UnixSeconds> heads_by_size)
      : log_(log), roots_(roots), heads_by_size_(std::move(heads_by_size)) {}

  Status through() {
    note_root();
    for (;;) {
      TRY(const auto rows, log_.vault().operator_records(tree_.size(), kRowsAtOnce));
      for (const vault::OperatorRow& row : rows) {
        if (row.seq != tree_.size()) {
          fault(fmt::format("is missing: the next one that is there is record {}", row.seq));
          return {};
        }
        take(row);
      }
      if (rows.size() < kRowsAtOnce) return {};
    }
  }

  const log::Frontier& tree() const { return tree_; }
  const Roster& roster() const { return roster_; }
  const std::optional<Fault>& first_fault() const { return fault_; }
  std::vector<std::uint64_t> unfinished() const { return {begun_.begin(), begun_.end()}; }

 private:
  // Of the record that comes next. Only the first one tells anything: what follows is judged by it.
  void fault(const std::string& what) {
    if (!fault_) fault_ = Fault{tree_.size(), fmt::format("Record {} {}.", tree_.size(), what)};
  }
  void note_root() {
    if (const auto wanted = roots_.find(tree_.size()); wanted != roots_.end()) wanted->second = tree_.root();
    if (const auto head = heads_by_size_.find(tree_.size()); head != heads_by_size_.end())
      head_time_ = std::max(head_time_, head->second);
  }
  void take(const vault::OperatorRow& row) {
    if (const Status fits = check(row); !fits) fault(fits.error().message);
    last_ = leaf_of(row.record, row.signature);
    tree_.append(last_);
    note_root();
  }
  // The errors are ends of sentences.
  Status check(const vault::OperatorRow& row) {
    const auto wrong = [](std::string why) { return fail(Errc::vault_damaged, std::move(why)); };
    const auto record = read_record(row.record);
    if (!record) return wrong("is not in the form of one: " + record.error().message);
    if (record->seq != tree_.size()) return wrong("stands in the place of another");
    if (record->prev != last_)
      return wrong("does not follow the one before it, which was changed, or removed with others");
    if (record->time < time_) return wrong("says an earlier time than the one before it");
    if (record->time + kTimeSlackSeconds < head_time_)
      return wrong(
          fmt::format("says {}, and was not there when a head was written at {}: it was added later, or this "
                      "machine's clock was set back",
                      to_rfc3339(record->time), to_rfc3339(head_time_)));
    const auto person = roster_.operators().find(record->by);
    const crypto::PublicKey key = person == roster_.operators().end() ? log_.node_key() : person->second.key.key;
    if (!verify_record(key, row.record, row.signature))
      return wrong(
          fmt::format("does not have the signature of {}", record->by.empty() ? "this vault" : visible(record->by)));
    if (const Status may = roster_.apply(*record, log_.subjects()); !may)
      return wrong("may not stand there: " + may.error().message);
    time_ = record->time;
    if (record->kind == Kind::act) begun_.insert(record->seq);
    if (record->kind == Kind::outcome) begun_.erase(*record->of);
    return {};
  }

  const OperatorLog& log_;
  Roots& roots_;
  std::map<std::uint64_t, UnixSeconds> heads_by_size_;
  log::Frontier tree_;
  Roster roster_;
  Digest last_{};
  UnixSeconds time_ = 0, head_time_ = 0;
  std::set<std::uint64_t> begun_;
  std::optional<Fault> fault_;
};

/// Those that this vault made; the others are faults.
std::vector<Opened> open_all(const OperatorLog& log, std::span<const PublishedHead> heads, std::uint64_t records,
                             std::vector<Fault>& faults) {
  std::vector<Opened> opened;
  for (const PublishedHead& one : heads) {
    const auto head = one.head ? log.open_head(*one.head) : std::nullopt;
    if (head)
      opened.push_back({&one, *head});
    else
      faults.push_back({records, one.head ? fmt::format("The head in {} is none that this vault made.", place_of(one))
                                          : fmt::format("There is no head in {} that could be read: its body is not "
                                                        "here, or was written without one.",
                                                        place_of(one))});
  }
  return opened;
}

// The account that the vault keeps beside the records, in the same commit with each.
void check_account(const OperatorLog& log, const Walk& walk, std::vector<Fault>& faults) {
  const log::Frontier counted = log.tree();
  const std::uint64_t records = walk.tree().size();
  if (counted.size() > records)
    faults.push_back({records, fmt::format("Record {} and those after it are missing: the vault has counted {}.",
                                           records, counted.size())});
  else if (counted.size() < records)
    faults.push_back({counted.size(), fmt::format("Record {} was added from outside: the vault has counted {}.",
                                                  counted.size(), counted.size())});
  else if (counted != walk.tree() && !walk.first_fault())
    faults.push_back({records, "The vault's account of the records is not that of the records that it holds."});
  else if (!walk.first_fault() && !(log.roster().to_json() == walk.roster().to_json()))
    faults.push_back({records, "The vault's list of operators and rules is not what its records add up to."});
}

void check_heads(std::span<const Opened> heads, const Roots& roots, std::uint64_t records, Verdict& verdict) {
  std::uint64_t good = 0;  // no record before it was changed
  std::set<std::string> holders;
  std::vector<Opened> by_size(heads.begin(), heads.end());
  std::ranges::stable_sort(by_size, {}, [](const Opened& one) { return one.head.size; });
  for (const Opened& one : by_size) {
    const std::uint64_t size = one.head.size;
    if (size > records) {
      // Of what no fitting head covers, nobody knows whether it is the same.
      verdict.faults.push_back(
          {good, good == records ? fmt::format("Record {} and those up to {} were removed: {} was written when there "
                                               "were {}.",
                                               records, size - 1, place_of(*one.published), size)
                                 : fmt::format("There were {} records when {} was written, and there are {}: some were "
                                               "removed, and those from record {} on may be others.",
                                               size, place_of(*one.published), records, good)});
      continue;
    }
    if (commit_to_head(one.head.salt, size, roots.at(size)) != one.published->head->commitment) {
      verdict.faults.push_back(
          {good, size == good + 1
                     ? fmt::format("Record {} is not what it was when {} was written.", good, place_of(*one.published))
                     : fmt::format("One of the records {} to {} is not what it was when {} was written.", good,
                                   size == 0 ? 0 : size - 1, place_of(*one.published))});
      continue;
    }
    good = std::max(good, size);
    ++verdict.heads;
    if (one.published->holders.empty()) continue;
    verdict.vouched = std::max(verdict.vouched, size);
    holders.insert(one.published->holders.begin(), one.published->holders.end());
  }
  verdict.holders.assign(holders.begin(), holders.end());
}

/// How many entries each member has signed to hold, by nick.
Result<std::map<std::string, std::uint64_t>> held_of(vault::Vault& vault, const vault::LogHead& log) {
  std::map<std::string, std::uint64_t> held;
  for (std::uint64_t size = 1; size <= log.size; size += kRowsAtOnce) {
    TRY(const auto signatures, vault.log_cosignatures(log.origin, size, kRowsAtOnce));
    for (const vault::LogCosignature& one : signatures) held[one.cosigner] = std::max(held[one.cosigner], one.size);
  }
  return held;
}

/// What a `heads` entry says of the operator log, if its body is here and says anything of it.
struct Said {
  bool body_is_here = false;
  std::optional<HiddenHead> head;
};
Result<Said> said_in(vault::Vault& vault, const Digest& leaf, const log::Entry& entry) {
  TRY(const auto body, vault.entry_body(leaf));
  if (!body) return Said{};
  TRY(const log::Json json, log::open_body(entry, {body->salt, std::string(as_text(body->content))}));
  const auto member = json.object()->find(kHeadName);
  if (member == json.object()->end()) return Said{.body_is_here = true, .head = {}};
  TRY(HiddenHead head, HiddenHead::from_json(member->second));
  return Said{.body_is_here = true, .head = std::move(head)};
}

Status add_heads_of(vault::Vault& vault, const vault::LogHead& log, std::vector<PublishedHead>& heads) {
  TRY(const auto held, held_of(vault, log));
  bool begun = false;
  for (std::uint64_t from = 0; from < log.size; from += kRowsAtOnce) {
    TRY(const auto rows, vault.log_leaves(log.origin, from, kRowsAtOnce));
    for (const vault::LogLeaf& row : rows) {
      TRY(const log::Entry entry, log::read_entry_unverified(row.note));
      if (entry.type != log::kHeads) continue;
      TRY(Said said, said_in(vault, row.hash, entry));
      if (said.body_is_here && !said.head && !begun) continue;
      begun = true;
      heads.push_back(
          {.origin = log.origin, .entry = entry.seq, .time = entry.time, .head = std::move(said.head), .holders = {}});
      for (const auto& [nick, size] : held)
        if (size > entry.seq) heads.back().holders.push_back(nick);
    }
  }
  return {};
}

}  // namespace

Result<Verdict> verify(const OperatorLog& log, std::span<const PublishedHead> heads) {
  Verdict verdict;
  TRY(const std::uint64_t next, log.vault().next_operator_record());
  const std::vector<Opened> opened = open_all(log, heads, next, verdict.faults);
  Roots roots;
  std::map<std::uint64_t, UnixSeconds> heads_by_size;
  for (const Opened& one : opened) {
    roots[one.head.size];
    UnixSeconds& latest = heads_by_size[one.head.size];
    latest = std::max(latest, one.published->time);
  }
  Walk walk(log, roots, std::move(heads_by_size));
  TRY_STATUS(walk.through());
  verdict.records = walk.tree().size();
  verdict.unfinished = walk.unfinished();
  if (walk.first_fault()) verdict.faults.push_back(*walk.first_fault());
  check_account(log, walk, verdict.faults);
  check_heads(opened, roots, verdict.records, verdict);
  std::ranges::stable_sort(verdict.faults, {}, &Fault::record);
  return verdict;
}

Result<std::vector<PublishedHead>> published_heads(vault::Vault& vault) {
  std::vector<PublishedHead> heads;
  TRY(const std::vector<vault::LogHead> logs, vault.logs());
  for (const vault::LogHead& own : logs)
    if (own.own) TRY_STATUS(add_heads_of(vault, own, heads));
  return heads;
}

}  // namespace parley::operators
