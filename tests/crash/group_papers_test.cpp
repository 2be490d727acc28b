// Whatever moment a member's process is killed at while it drafts a group, joins, takes a paper, signs or invites: what
// is there is whole, and doing it again finishes it.
#include "group/charters.h"
#include "group/founding.h"
#include "group/group_keys.h"
#include "group/invitation.h"
#include "group/membership.h"
#include "support/crash_points.h"
#include "vault/testing.h"

namespace parley::group {
namespace {

using crash::Cut, crash::Events;

constexpr std::size_t kMostEvents = 2'000;
constexpr UnixSeconds kNow = kBegin + 60;

/// A member's folder: what is there while no process has it open.
class Home {
 public:
  explicit Home(const std::string& nick) {
    unlock_.key_file = random_secret<32>();
    EXPECT_HOLDS(vault::Vault::create(folder_.path(), unlock_));
    const auto vault = open();
    EXPECT_HOLDS(create_member(folder_.path(), nick, unlock_, *vault));
    card_ = load_member(folder_.path(), *vault)->card;
  }
  std::unique_ptr<vault::Vault> open() const {
    auto opened = vault::Vault::open(folder_.path(), unlock_);
    if (!opened) throw std::runtime_error(opened.error().text());
    return std::move(*opened);
  }
  /// Works in an open vault.
  template <typename Work>
  auto at_work(const Work& work) const {
    const auto vault = open();
    return work(Desk{folder_.path(), *vault, card_});
  }
  Secret<32> id_seed() const { return *load_id_seed(folder_.path(), unlock_); }
  const Card& card() const { return card_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::map<std::string, Bytes> files() const { return vault::contents(folder()); }
  void put_back(const std::map<std::string, Bytes>& files) const { vault::restore(folder(), files); }

 private:
  vault::TemporaryFolder folder_;
  vault::Unlock unlock_;
  Card card_;
};

vault::GroupRow row_at(const Desk& desk) {
  return *desk.vault.group("stadium");
}

class CrashOfAGroup : public testing::TestWithParam<Cut> {
 protected:
  CrashOfAGroup() {
    for (const Home* home : {&alpha_, &bravo_}) {
      const Card& other = home == &alpha_ ? bravo_.card() : alpha_.card();
      home->at_work([&](const Desk& desk) {
        EXPECT_HOLDS(desk.vault.add_peer({.name = other.nick, .card = other.note, .address = "a:1", .added = kBegin}));
        EXPECT_HOLDS(desk.vault.confirm_peer(other.nick, kBegin));
      });
    }
  }
  static Charter terms() {
    Charter terms = charter_of(2);
    terms.finding_quorum = 2;
    return terms;
  }

  using Work = std::function<Status(const Desk&)>;
  /// `work` dies at each of its events; `again` is what a person does then, and must come to its end.
  void for_each_point(const Home& home, const Work& work, const Work& again) {
    const auto before = home.files();
    const std::size_t stride = crash::stride_of(GetParam() == Cut::power ? 5 : 3);
    std::size_t at = 1;
    for (; at < kMostEvents; at += stride) {
      SCOPED_TRACE(testing::Message() << "event " << at);
      home.put_back(before);
      const bool died = crash::dies_in_process([&] {
        const auto vault = home.open();
        const Desk desk{home.folder(), *vault, home.card()};
        crash::die_at(at, Events::all, GetParam());
        static_cast<void>(work(desk));
      });
      home.at_work([&](const Desk& desk) { EXPECT_HOLDS(again(desk)); });
      if (HasFailure()) return;
      if (!died) break;
    }
    EXPECT_GT(at, 3u) << "there are more events than this";
    EXPECT_LT(at, kMostEvents) << "it comes to an end";
  }
  Draft draft() const {
    return alpha_.at_work(
        [&](const Desk& desk) { return *begin_group(desk, "stadium", terms(), alpha_.id_seed(), kBegin); });
  }
  std::string package_for(const Draft& draft) const {
    return bravo_.at_work(
        [&](const Desk& desk) { return join_group(desk, "stadium", draft.note, bravo_.id_seed(), kBegin)->note; });
  }
  static Status done(const auto& outcome) { return outcome ? Status{} : Status(std::unexpected(outcome.error())); }
  /// Our keys for the group are there, whole.
  static Status has_keys(const Desk& desk, const std::string& group) {
    return done(load_group_keys(desk.folder, desk.vault, "parley.example", group, desk.card.nick));
  }

  Home alpha_{"alpha"}, bravo_{"bravo"};
};
INSTANTIATE_TEST_SUITE_P(Killed, CrashOfAGroup, testing::Values(Cut::before, Cut::midway, Cut::power),
                         [](const auto& about) {
                           return about.param == Cut::before   ? "Before"
                                  : about.param == Cut::midway ? "Midway"
                                                               : "ByALossOfPower";
                         });

TEST_P(CrashOfAGroup, ThatIsDraftedHasItsKeysOrIsNotThere) {
  const Work draft = [&](const Desk& desk) {
    return done(begin_group(desk, "stadium", terms(), alpha_.id_seed(), kBegin));
  };
  for_each_point(alpha_, draft, [&](const Desk& desk) -> Status {
    if (!desk.vault.group("stadium")) TRY_STATUS(draft(desk));
    const vault::GroupRow row = row_at(desk);
    TRY_STATUS(done(stored_draft(desk.vault, row)));
    return has_keys(desk, row.id);
  });
}

TEST_P(CrashOfAGroup, ThatIsJoinedGivesTheSamePackageAgain) {
  const Draft begun = draft();
  const Work join = [&](const Desk& desk) {
    return done(join_group(desk, "stadium", begun.note, bravo_.id_seed(), kBegin));
  };
  for_each_point(bravo_, join, [&](const Desk& desk) -> Status {
    TRY(const KeyPackage package, join_group(desk, "stadium", begun.note, bravo_.id_seed(), kBegin));
    TRY(const KeyPackage once_more, join_group(desk, "stadium", begun.note, bravo_.id_seed(), kBegin));
    EXPECT_EQ(package.note, once_more.note);
    return has_keys(desk, row_at(desk).id);
  });
}

TEST_P(CrashOfAGroup, ThatTakesAPaperTakesItAgain) {
  const std::string package = package_for(draft());
  const Work take_it = [&](const Desk& desk) { return done(take(desk, package, kNow)); };
  for_each_point(alpha_, take_it, [&](const Desk& desk) -> Status {
    TRY_STATUS(take_it(desk));
    return done(unsigned_paper(desk, row_at(desk), ""));
  });
}

TEST_P(CrashOfAGroup, ThatSignsAndPutsInForceIsWhollyInForceInTheEnd) {
  const std::string package = package_for(draft());
  alpha_.at_work([&](const Desk& desk) { EXPECT_HOLDS(take(desk, package, kNow)); });
  std::string signed_by_alpha;
  const Work sign_it = [&](const Desk& desk) { return done(sign(desk, row_at(desk), "", alpha_.id_seed(), kNow)); };
  for_each_point(alpha_, sign_it, [&](const Desk& desk) -> Status {
    // Whoever has signed already has nothing left to sign; the paper is there for the others all the same.
    const auto signing = sign(desk, row_at(desk), "", alpha_.id_seed(), kNow);
    if (signing) signed_by_alpha = signing->charter.note;
    TRY(const auto papers, papers_of_kind(desk.vault, row_at(desk).id, "charter"));
    if (papers.empty()) return fail(Errc::not_found, "No charter is gathering signatures.");
    signed_by_alpha = papers.front().text;
    return done(read_founding(signed_by_alpha));
  });
  // Bravo takes it, signs, and it is in force.
  const Work take_and_sign = [&](const Desk& desk) -> Status {
    TRY_STATUS(done(take(desk, signed_by_alpha, kNow)));
    return done(sign(desk, row_at(desk), "", bravo_.id_seed(), kNow));
  };
  for_each_point(bravo_, take_and_sign, [&](const Desk& desk) -> Status {
    if (row_at(desk).state != kActive) {
      TRY_STATUS(done(take(desk, signed_by_alpha, kNow)));
      if (row_at(desk).state != kActive) TRY_STATUS(done(sign(desk, row_at(desk), "", bravo_.id_seed(), kNow)));
    }
    TRY(const log::VerifierKey own, own_id_key(desk.card));
    TRY(const Membership membership, Membership::load(desk.vault, row_at(desk), own));
    EXPECT_EQ(membership.charter().members.size(), 2u);
    return membership.check(Act::question, kNow);
  });
}

TEST_P(CrashOfAGroup, ThatInvitesCanInviteAgain) {
  const Draft begun = draft();
  const Work invite_bravo = [&](const Desk& desk) {
    return done(invite(desk.vault, desk.card, begun.terms.group, begun.hash, "bravo", "a:1", kNow));
  };
  for_each_point(alpha_, invite_bravo, [&](const Desk& desk) -> Status {
    TRY(const Invitation invitation,
        invite(desk.vault, desk.card, begun.terms.group, begun.hash, "bravo", "a:1", kNow));
    const SecretBytes line = write_invitation(invitation);
    TRY_STATUS(done(read_invitation(as_text(line.expose()))));
    TRY(const InvitationAnswer answer, read_answer(answer_invitation(invitation, bravo_.card(), "b:1")));
    return done(accept_answer(desk.vault, desk.card, answer, invitation.draft, kNow));
  });
}

}  // namespace
}  // namespace parley::group
