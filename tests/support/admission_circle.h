// A group of members with real vaults whose charter asks for admission: over real links they bring their logs into
// step, help each other, and hold sessions.
#pragma once

#include "admission/helper.h"
#include "admission/overview.h"
#include "admission/owner.h"
#include "support/session_parties.h"
#include "vault/tables.h"

namespace parley::admission {

using session::Deviation, session::DeviatingLink, session::kPatience, session::Opened, session::TestMember;
using vault::fails, vault::succeeds;

/// IPv4 addresses 198.18.0.0 + first, ..., of the block for benchmarks (RFC 2544).
inline std::vector<vault::TestRecord> addresses(unsigned first, unsigned count) {
  std::vector<vault::TestRecord> records;
  for (unsigned i = first; i < first + count; ++i)
    records.push_back(session::record(indicator::Type::ipv4, fmt::format("198.18.{}.{}", i / 256, i % 256), "Sednit"));
  return records;
}

inline group::AdmissionClause at_most(std::int64_t most) {
  return {.epoch_days = 90, .types = {{.type = indicator::Type::ipv4, .most = most}}};
}

class Circle {
 public:
  /// Each member with its material; nicks are alpha, bravo, charlie, ...
  Circle(const std::vector<std::vector<vault::TestRecord>>& materials, const group::AdmissionClause& clause) {
    static constexpr std::array kNames = {"Alpha", "Bravo", "Charlie", "Delta"};
    for (std::size_t i = 0; i < materials.size(); ++i) {
      homes_.push_back(std::make_unique<TestMember>(kNames.at(i), materials[i]));
      members_.push_back(std::make_unique<Opened>(*homes_.back()));
    }
    make_charter(clause);
  }

  /// Ends the node of member i and starts it again from its disk.
  void restart(std::size_t i) {
    members_[i].reset();
    members_[i] = std::make_unique<Opened>(*homes_[i]);
  }
  /// For what member i has counted so far: by its clock that was `seconds` ago.
  void let_pass(std::size_t i, UnixSeconds seconds) {
    members_[i].reset();
    vault::execute_in(homes_[i]->folder(), homes_[i]->unlock(),
                      fmt::format("UPDATE admission_counts SET time = time - {}", seconds));
    members_[i] = std::make_unique<Opened>(*homes_[i]);
  }
  Opened& operator[](std::size_t i) { return *members_[i]; }
  const std::string& nick(std::size_t i) const { return members_[i]->member.card.nick; }
  const group::SignedCharter& charter() const { return charter_; }
  group::Membership membership(std::size_t i) const {
    group::LocalPolicy policy = policies_.contains(i) ? policies_.at(i) : group::LocalPolicy{};
    return {{.id = charter_.charter.group, .name = "circle", .state = std::string(group::kActive)},
            {charter_},
            {},
            std::move(policy),
            *log::parse_vkey(members_[i]->member.card.id_vkey)};
  }
  /// Of member i, had it these charters, and had those members left.
  group::Membership membership_under(std::size_t i, std::vector<group::SignedCharter> versions,
                                     std::set<std::string, std::less<>> left) const {
    return {{.id = charter_.charter.group, .name = "circle", .state = std::string(group::kActive)},
            std::move(versions),
            std::move(left),
            {},
            *log::parse_vkey(members_[i]->member.card.id_vkey)};
  }
  void set_policy(std::size_t i, group::LocalPolicy policy) { policies_[i] = std::move(policy); }

  /// `work(party)` as member i.
  template <typename Work>
  auto as(std::size_t i, const Work& work) {
    Opened& member = *members_[i];
    const group::Membership membership = this->membership(i);
    const Party party{.desk = {member.home.folder(), *member.vault, member.member.card},
                      .membership = membership,
                      .log = member.log(charter_),
                      .pool = member.pool,
                      .progress = member.progress};
    return work(party);
  }

  /// Member i calls on member j and does `begin`; j does `answer`; each with its link.
  template <typename Begun, typename Answered>
  std::pair<Result<Begun>, Result<Answered>> connect(std::size_t i, std::size_t j,
                                                     const std::function<Result<Begun>(group::LogLink&)>& begin,
                                                     const std::function<Result<Answered>(group::LogLink&)>& answer,
                                                     const Deviation& answerer_deviates = {},
                                                     const Deviation& beginner_deviates = {}) {
    wire::Listener listener;
    Opened &beginner = *members_[i], &answerer = *members_[j];
    auto& beginner_log = beginner.log(charter_);
    auto& answerer_log = answerer.log(charter_);
    answerer_log.rewrite = answerer_deviates.rewrite;
    auto answered = std::async(std::launch::async, [&]() -> Result<Answered> {
      TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(beginner.pin())));
      DeviatingLink deviating(*link, answerer_deviates);
      group::LogLink log_link(deviating, answerer_log);
      return answer(log_link);
    });
    auto begun = [&]() -> Result<Begun> {
      TRY(const auto link, wire::connect(listener.address(), beginner.member.identity(), answerer.pin()));
      DeviatingLink deviating(*link, beginner_deviates);
      group::LogLink log_link(deviating, beginner_log);
      return begin(log_link);
    }();
    auto ended = answered.get();
    answerer_log.rewrite = {};
    return {std::move(begun), std::move(ended)};
  }

  using Asked = std::pair<Result<std::optional<Helped>>, Result<std::uint64_t>>;
  /// Member i, with its log in step, has member j help it with what waits.
  Asked ask(std::size_t i, std::size_t j, const Deviation& helper_deviates = {}, const Deviation& owner_deviates = {}) {
    return connect<std::optional<Helped>, std::uint64_t>(
        i, j,
        [&](group::LogLink& link) -> Result<std::optional<Helped>> {
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          auto helped = as(i, [&](const Party& us) { return work_with(us, link, deadline_in(kPatience)); });
          TRY_STATUS(link.send(wire::FrameType::bye, {}));
          return helped;
        },
        [&](group::LogLink& link) { return help_on(j, link); }, helper_deviates, owner_deviates);
  }

  /// What a node does with a link on which somebody wants help, or only its log.
  Result<std::uint64_t> help_on(std::size_t j, group::LogLink& link) {
    TRY(const wire::FrameType first, link.next_type(deadline_in(kPatience)));
    if (first != wire::FrameType::admission) return 0;
    return as(
        j, [&](const Party& us) { return help(us, [&] { return Result<group::Membership>(membership(j)); }, link); });
  }

  /// Everybody's key in everybody's log.
  void begin_epoch() {
    synchronise();
    for (std::size_t i = 0; i < members_.size(); ++i)
      EXPECT_OK(as(i, [](const Party& us) { return publish_key(us, wall_clock_now()); }));
    synchronise();
  }
  void synchronise() {
    for (int round = 0; round < 2; ++round)
      for (std::size_t i = 0; i < members_.size(); ++i)
        for (std::size_t j = 0; j < members_.size(); ++j)
          if (i != j) call_on(i, j);
  }
  void call_on(std::size_t i, std::size_t j) {
    const auto both = connect<bool, wire::FrameType>(
        i, j,
        [&](group::LogLink& link) -> Result<bool> {
          TRY_STATUS(link.synchronise(deadline_in(kPatience)));
          TRY_STATUS(link.send(wire::FrameType::bye, {}));
          return true;
        },
        [&](group::LogLink& link) { return link.next_type(deadline_in(kPatience)); });
    EXPECT_OK(both.first);
    EXPECT_OK(both.second);
  }
  /// Member i has all others help it. @return how many of its addresses have a tag then
  std::uint64_t admit(std::size_t i) {
    for (std::size_t j = 0; j < members_.size(); ++j) {
      if (i == j) continue;
      EXPECT_OK(ask(i, j).first);
    }
    return admitted(i);
  }

  Epoch epoch(std::size_t i) {
    const auto standing = admission::standing(*members_[i]->vault, membership(i), wall_clock_now());
    EXPECT_OK(standing);
    EXPECT_TRUE(standing && standing->epoch);
    return standing && standing->epoch ? *standing->epoch : Epoch{};
  }
  Overview overview(std::size_t i) {
    const auto overview = admission::overview(*members_[i]->vault, membership(i), nick(i), wall_clock_now());
    EXPECT_OK(overview);
    return overview ? *overview : Overview{};
  }
  std::uint64_t admitted(std::size_t i) { return overview(i).types.front().admitted; }
  /// With how many addresses member j has helped member i, by j's own log as member `reader` has it.
  std::int64_t counted(std::size_t reader, std::size_t helper, std::size_t owner) {
    EXPECT_OK(read_logs(*members_[reader]->vault, charter_.charter.group));
    const auto totals = members_[reader]->vault->admission_totals(charter_.charter.group, epoch(reader).id);
    EXPECT_OK(totals);
    for (const vault::AdmissionTotal& total : *totals)
      if (total.helper == nick(helper) && total.owner == nick(owner)) return total.count;
    return 0;
  }

  session::Both<std::string> hold_session(std::size_t i, std::size_t j, const session::Question& question,
                                          const Deviation& asker_deviates = {}) {
    const group::Membership asker = membership(i), answerer = membership(j);
    auto [began, answered] = connect<std::string, std::string>(
        i, j,
        [&](group::LogLink& link) {
          return session::ask(members_[i]->party(asker), link, question, session::test_limits(), {});
        },
        [&](group::LogLink& link) -> Result<std::string> {
          TRY(const session::ReceivedStep step, session::first_step(link));
          return session::answer(members_[j]->party(answerer), link, step, session::test_limits(),
                                 session::accept_everything);
        },
        {}, asker_deviates);
    return {std::move(began), std::move(answered)};
  }

 private:
  void make_charter(const group::AdmissionClause& clause) {
    group::Charter& charter = charter_.charter;
    charter.group = to_hex(random_bytes<16>());
    charter.domain = TestMember::kDomain;
    charter.not_before = wall_clock_now() / 86'400 * 86'400;
    charter.not_after = charter.not_before + 30 * 86'400;
    charter.max_tlp = indicator::Tlp::red;
    charter.protocols = {"classic", "fast"};
    charter.admission = clause;
    for (const indicator::Type type : indicator::kAllTypes)
      for (const group::Function function : group::kAllFunctions)
        charter.questions.push_back({.type = type, .function = function, .caps = group::kNoCaps});
    for (auto& one : members_) {
      charter.members.push_back(one->charter_member(charter.group));
      for (auto& other : members_)
        if (one != other) one->meet(*other);
    }
    std::ranges::sort(charter.members, {}, [](const auto& member) { return member.keys.nick; });
    charter_.note = group::charter_text(charter);
    charter_.hash = group::charter_hash(charter);
    for (auto& member : members_) {
      EXPECT_OK(
          member->vault->put_group({.id = charter.group, .name = "circle", .state = std::string(group::kActive)}));
      EXPECT_OK(member->vault->set_group_material(charter.group, std::vector{vault::MaterialRule{}}));
    }
  }

  std::vector<std::unique_ptr<TestMember>> homes_;
  std::vector<std::unique_ptr<Opened>> members_;
  std::map<std::size_t, group::LocalPolicy> policies_;
  group::SignedCharter charter_;
};

}  // namespace parley::admission
