// parley finding: what the group is ready to say in public. What its commands share.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/finding_command.h"
#include "node/replication.h"

namespace parley::cli {
namespace {

constexpr auto kMemberCallLimit = std::chrono::seconds(10);
constexpr std::string_view kPaperFinding = "finding";  // of vault::GroupPaper: a working copy, by its name

Result<std::optional<NamedFinding>> working_copy_named(Workplace& at, const std::string& name) {
  TRY(std::vector<NamedFinding> copies, working_copies(at));
  std::erase_if(copies, [&](const NamedFinding& copy) { return copy.name != name; });
  if (copies.size() > 1)
    return fail(Errc::usage,
                fmt::format("Several groups have a finding {}; give one of them another name.", visible(name)));
  if (copies.empty()) return std::nullopt;
  return std::move(copies.front());
}

}  // namespace

Result<std::vector<finding::Remark>> NamedFinding::remarks() const {
  if (frozen) {
    TRY(const group::SignedCharter* charter, finding::charter_of(frozen->finding, membership));
    return finding::lint(frozen->finding, charter->charter, charter->hash);
  }
  // What freezing fills in is not held against a working copy.
  const group::SignedCharter& charter = membership.signed_charter();
  finding::Finding complete = working;
  complete.group = charter.charter.group;
  complete.charter = charter.hash;
  complete.created = wall_clock_now();
  std::vector<finding::Remark> remarks = finding::lint(complete, charter.charter, charter.hash);
  std::erase_if(remarks, [](const finding::Remark& remark) { return remark.rule == "cut-missing"; });
  return remarks;
}

Result<std::vector<group::Membership>> memberships(Workplace& at) {
  TRY(const auto rows, at.vault.groups());
  std::vector<group::Membership> all;
  for (const vault::GroupRow& row : rows) {
    auto membership = membership_of(at, row);
    if (!membership && membership.error().code == Errc::not_found) continue;  // no charter yet
    if (!membership) return std::unexpected(std::move(membership).error());
    all.push_back(std::move(*membership));
  }
  return all;
}

Status call_member(Workplace& at, const vault::Peer& member, group::JointLog& log) {
  if (at.progress.cancelled()) return fail(Errc::cancelled, "It was stopped before this member was called.");
  const auto calling = [&](wire::Link* link) {
    at.progress.set_wake(link == nullptr ? std::function<void()>() : [link] { link->shut_down(); });
  };
  return node::call_on(at.vault, member, at.member, log, deadline_in(kMemberCallLimit), calling);
}

Status tell_members(Workplace& at, const group::Membership& membership, group::JointLog& log,
                    const std::function<std::string(std::span<const std::string> later)>& of_the_others) {
  TRY(const auto members, node::fellow_members(at.vault, at.member.card, membership));
  std::vector<std::string> have, later;
  for (const vault::Peer& member : members)
    (call_member(at, member, log) ? have : later).push_back(visible(member.name));
  if (!have.empty())
    at.console.say(fmt::format("{} {} it now.", group::in_words(have), have.size() == 1 ? "has" : "have"));
  if (!later.empty()) at.console.say(of_the_others(later));
  return {};
}

Status fetch_news(Workplace& at) {
  TRY(const auto ids, at.groups.in_step(wall_clock_now()));
  for (const std::string& id : ids) {
    TRY(const group::Membership membership, at.groups.membership(id));
    TRY(const auto log, at.groups.log(id));
    TRY(const auto members, node::fellow_members(at.vault, at.member.card, membership));
    for (const vault::Peer& member : members)
      if (const auto called = call_member(at, member, *log); !called)
        at.console.say(fmt::format("{} was not reached: {}", visible(member.name), visible(called.error().message)));
  }
  return {};
}

Result<std::vector<NamedFinding>> working_copies(Workplace& at) {
  std::vector<NamedFinding> copies;
  TRY(const auto all, memberships(at));
  for (const group::Membership& membership : all) {
    TRY(const auto papers, group::papers_of_kind(at.vault, membership.group().id, kPaperFinding));
    for (const vault::GroupPaper& paper : papers) {
      TRY(finding::Finding working, finding::read_working_text(paper.text));
      copies.push_back(
          {.group = membership.group(), .membership = membership, .name = paper.key, .working = std::move(working)});
    }
  }
  return copies;
}

Status keep_working_copy(Workplace& at, const vault::GroupRow& group, std::string_view name,
                         const finding::Finding& finding) {
  const std::string text = finding::working_text(finding);
  // What could not be read back is not kept.
  TRY_STATUS(finding::read_working_text(text));
  return at.vault.put_group_paper(group.id, {std::string(kPaperFinding), std::string(name), text});
}

Status forget_working_copy(Workplace& at, const vault::GroupRow& group, std::string_view name) {
  return at.vault.put_group_paper(group.id, {std::string(kPaperFinding), std::string(name), {}});
}

Result<NamedFinding> finding_named(Workplace& at, const std::string& name) {
  TRY(auto copy, working_copy_named(at, name));
  if (copy) return *std::move(copy);
  TRY(const auto all, memberships(at));
  std::optional<NamedFinding> found;
  for (const group::Membership& membership : all) {
    TRY(const finding::Casebook book, finding::read_casebook(at.vault, membership));
    const auto one = book.find(name);
    if (!one && one.error().code == Errc::not_found) continue;
    if (!one && book.cases.empty()) continue;
    if (!one || found)
      return fail(Errc::usage, one ? "Several findings begin so; give more digits." : one.error().message);
    found = NamedFinding{.group = membership.group(), .membership = membership, .name = {}, .frozen = **one};
  }
  if (!found)
    return fail(Errc::not_found,
                fmt::format("There is no finding {}; parley finding list shows those that are here.", visible(name)));
  return *std::move(found);
}

Result<NamedFinding> frozen_finding(Workplace& at, const std::string& name) {
  TRY(NamedFinding named, finding_named(at, name));
  if (!named.frozen)
    return fail(Errc::usage, fmt::format("{} is a working copy that only you have. parley finding draft {} freezes it "
                                         "and gives it to the members.",
                                         visible(name), visible(name)));
  return named;
}

void add_finding(Command& program, Chosen& chosen) {
  Command* family =
      program.add_subcommand("finding", "What the group says in public: evidence weighed, judged and signed");
  family->require_subcommand(1);
  add_finding_edit(*family, chosen);
  add_finding_show(*family, chosen);
  add_finding_act(*family, chosen);
}

}  // namespace parley::cli
