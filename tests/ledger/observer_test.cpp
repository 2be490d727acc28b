// Random sessions with members that lie, leave and fail, beside an observer who knows what was disclosed: the ledger
// never says less, at any moment, whatever order the logs are read in. PARLEY_LEDGER_SESSIONS sets how many (100,000),
// PARLEY_SEED repeats a run.
#include <cstdlib>
#include <random>
#include <set>

#include "story.h"

namespace parley::ledger {
namespace {

constexpr std::size_t kSessionsAWorld = 40;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename T>
  const T& of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

/// What really left alpha in one session.
struct Disclosed {
  std::string peer;
  TypeSet types;
  UnixSeconds charged = 0;
  std::int64_t tested = 0;   ///< elements that the peer put to the protocol
  std::int64_t matches = 0;  ///< that it learned
  bool hid_matches = false;  ///< from what it proved: only what it could test bounds them
  std::set<std::pair<std::uint64_t, std::size_t>> fields = {};  ///< (match, field)
  std::int64_t we_learned = 0;
};

/// One group as alpha lives through it: an honest member, whose clock and links may do anything.
class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed), ledger_(ledger_of()) {}

  void run_sessions() {
    for (std::uint64_t i = 0; i < kSessionsAWorld; ++i) {
      move_clock();
      disclosed_.emplace_back();
      hold(session_named(i));
      check();
    }
    check_fold_again();
  }

 private:
  void move_clock() {
    clock_ += static_cast<UnixSeconds>(dice_.below(3 * kDay));
    if (dice_.one_in(40)) clock_ += dice_.one_in(2) ? 10 * kYear : -10 * kYear;
    if (dice_.one_in(10)) ledger_.see(std::max<UnixSeconds>(clock_, 0));
  }
  /// What the next own entry states: log::LogState::time_of_next.
  UnixSeconds own_time() { return last_time_ = std::max(clock_, last_time_); }

  void we(const Story& story, Fact fact) { write({kAlpha, story.other, story.session, own_time(), std::move(fact)}); }
  void they(const Story& story, Fact fact) {
    const auto claim = static_cast<UnixSeconds>(dice_.one_in(4) ? dice_.below(3 * kStart) : kStart);
    write({story.other, story.other, story.session, claim, std::move(fact)});
  }
  /// Own entries are read as they are written; those of others now or later.
  void write(Told told) {
    logs_[told.author].push_back(told);
    if (told.author == kAlpha)
      ledger_.take(told);
    else
      unread_.push_back(std::move(told));
    if (dice_.one_in(3)) read_all();
  }
  void read_all() {
    for (const Told& told : unread_) ledger_.take(told);
    unread_.clear();
  }

  void hold(const SessionId& id) {
    Story story{.session = id, .other = dice_.of(others_), .we_ask = dice_.one_in(2)};
    story.about = dice_.of(std::vector{types({Type::ipv4}), types({Type::domain}), types({Type::ipv4, Type::url})});
    story.we_enter = std::uint64_t{256} << dice_.below(5);
    story.they_enter = std::uint64_t{256} << dice_.below(5);
    const std::uint64_t direction = dice_.below(3);
    story.asker_learns = direction != 0;
    story.responder_learns = direction != 1;
    story.suite = dice_.one_in(2) ? kFast : kClassic;
    agree_and_run(story);
  }

  /// Alpha goes on only while it may; the other member stops, lies and leaves as it likes.
  void agree_and_run(const Story& story) {
    Story agreement = story;
    agreement.agree();
    for (const Told& told : agreement.told) {
      if (dice_.one_in(20)) return;
      told.author == kAlpha ? we(story, told.fact) : they(story, told.fact);
    }
    read_all();  // alpha has the other half before it commits
    const std::uint64_t their_run = dice_.one_in(20) ? dice_.below(1 << 20) : story.they_enter;
    const bool they_write_first = dice_.one_in(2);
    if (they_write_first) they(story, Ran{their_run});
    if (dice_.one_in(20)) return;
    we(story, Ran{story.we_enter});  // the charge
    if (dice_.one_in(10)) return;    // a crash between the charge and the first byte
    if (!they_write_first) they(story, Ran{their_run});
    if (their_run != story.they_enter) return we(story, Aborted{.other_failed = true});
    compute(story);
  }

  void compute(const Story& story) {
    Disclosed& disclosed = disclosed_.back();
    const bool they_receive = story.we_ask == story.responder_learns;
    const bool they_learn = story.we_ask ? story.responder_learns : story.asker_learns;
    const bool we_learn = story.we_ask ? story.asker_learns : story.responder_learns;
    const bool both = they_learn && we_learn;
    const bool changed = they_receive && dice_.one_in(3);
    const std::uint64_t tested = changed ? tests_by(story.suite, story.they_enter) : story.they_enter;
    const std::int64_t matches = static_cast<std::int64_t>(dice_.below(std::min(tested, story.we_enter) + 1));
    const std::int64_t shown = changed && matches > 0 && both
                                   ? static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(matches) + 1))
                                   : matches;
    disclosed = {
        .peer = story.other, .types = story.about, .charged = last_time_, .tested = static_cast<std::int64_t>(tested)};
    // Whoever receives learns first; it may be gone before the other has anything.
    if (they_learn) disclosed.matches = matches;
    disclosed.hid_matches = shown != matches;
    if (dice_.one_in(8)) return they(story, Aborted{});
    if (dice_.one_in(8)) return we(story, Aborted{.other_failed = dice_.one_in(2)});
    if (we_learn) disclosed.we_learned = shown;
    we(story, result_of(both ? shown : -1, we_learn));
    if (dice_.one_in(8)) return;  // its result is kept back
    Resulted theirs = result_of(both ? shown : -1, they_learn);
    const bool lies = dice_.one_in(10);
    if (lies) theirs.count = static_cast<std::int64_t>(dice_.below(1 << 14));
    if (lies && theirs.count == (both ? shown : -1)) theirs.root = digest_of(7);
    they(story, theirs);
    read_all();
    we(story, Closed{!lies});
    if (!dice_.one_in(8)) they(story, Closed{!dice_.one_in(8)});
    if (both && !lies && shown > 0)
      for (std::uint64_t number = dice_.below(4); number < 3; ++number)
        reveal(story, static_cast<std::uint64_t>(shown), 1 + 10 * number);
  }

  static Resulted result_of(std::int64_t count, bool learned) {
    Resulted result = Story::result(count);
    result.learned = learned;
    return result;
  }

  /// Alpha opens after both have offered, what it offered and no more; either may leave at any opening.
  /// @param place  of its offers in both logs; the closings stand behind
  void reveal(const Story& story, std::uint64_t matches, std::uint64_t place) {
    const auto ours = static_cast<FieldSet>(1 + dice_.below(255));
    const std::uint64_t openings = 1 + dice_.below(matches);
    const bool they_answer = !dice_.one_in(5);
    const std::uint64_t offered = openings * static_cast<std::uint64_t>(std::popcount(ours));
    const Digest entry = digest_of(static_cast<std::uint8_t>(place));
    we(story, RevealOffered{.fields = ours,
                            .openings = openings,
                            .values = dice_.one_in(10) ? -1 : static_cast<std::int64_t>(offered),
                            .place = place,
                            .entry = entry});
    if (!they_answer) return;
    they(story, RevealOffered{.fields = static_cast<FieldSet>(dice_.below(256)),
                              .openings = dice_.below(matches + 1),
                              .place = place,
                              .answers = dice_.one_in(10) ? Digest{} : entry});
    read_all();  // nothing is opened before the other offer is here
    const std::uint64_t sent = dice_.one_in(2) ? openings : dice_.below(openings + 1);
    std::vector<std::uint64_t> which(matches);
    for (std::uint64_t i = 0; i < matches; ++i) which[i] = i;
    std::ranges::shuffle(which, dice_.engine());
    for (std::uint64_t i = 0; i < sent; ++i)
      for (std::size_t field = 0; field < 8; ++field)
        if ((ours >> field & 1) != 0) disclosed_.back().fields.emplace(which[i], field);
    const std::uint64_t fields = sent * static_cast<std::uint64_t>(std::popcount(ours));
    // Of what it received it may say anything.
    if (sent == openings || dice_.one_in(2))
      they(story,
           RevealClosed{.received = dice_.one_in(4) ? dice_.below(1 << 20) : sent,
                        .received_fields = static_cast<std::int64_t>(dice_.one_in(4) ? dice_.below(1 << 20) : fields),
                        .opened = static_cast<std::int64_t>(dice_.below(1 << 10)),
                        .broken_off = dice_.one_in(2),
                        .place = place + 1,
                        .answers = dice_.one_in(10) ? Digest{} : entry});
    if (dice_.one_in(2))
      we(story, RevealClosed{.received = dice_.below(matches + 1),
                             .kept_back = offered - fields,
                             .opened = static_cast<std::int64_t>(fields),
                             .place = place + 1});
  }

  bool is_in(const Disclosed& disclosed, Window window) const {
    return window == Window::operation ||
           disclosed.charged > ledger_.latest() - (window == Window::day ? kDay : 30 * kDay);
  }

  void check() const {
    for (const Window window : kAllWindows)
      for (const std::string& peer : others_)
        for (const Type type : {Type::ipv4, Type::domain, Type::url}) check(window, peer, type);
  }
  void check(Window window, const std::string& peer, Type type) const {
    std::int64_t sessions = 0, tested = 0, matches = 0, hidden = 0, fields = 0, learned = 0;
    for (const Disclosed& one : disclosed_) {
      if (one.peer != peer || !one.types.contains(type) || !is_in(one, window)) continue;
      ++sessions;
      tested += one.tested;
      (one.hid_matches ? hidden : matches) += one.matches;
      fields += static_cast<std::int64_t>(one.fields.size());
      learned += one.we_learned;
    }
    const Account account = ledger_.account(&peer, type, window);
    ASSERT_GE(account.ran, sessions);
    ASSERT_GE(account.tests_in, tested);
    ASSERT_GE(account.match_in.worst, matches);
    ASSERT_GE(account.tests_in, matches + hidden);
    ASSERT_GE(account.field_in.worst, fields);
    ASSERT_GE(account.match_out.worst, learned);
    for (const Range& range : {account.match_in, account.match_out, account.field_in, account.field_out})
      ASSERT_LE(range.known, range.worst);
    ASSERT_GE(ledger_.account(nullptr, type, window).tests_in, account.tests_in);
  }

  /// The whole again from the logs, which are read in turns of any length.
  void check_fold_again() {
    read_all();
    Ledger again = ledger_of();
    std::map<std::string, std::size_t> read;
    std::vector<std::string> left;
    for (const auto& [author, log] : logs_) left.push_back(author);
    while (!left.empty()) {
      const std::string author = dice_.of(left);
      for (std::uint64_t turn = 1 + dice_.below(9); turn > 0 && read[author] < logs_[author].size(); --turn)
        again.take(logs_[author][read[author]++]);
      if (read[author] == logs_[author].size()) std::erase(left, author);
    }
    again.see(ledger_.latest());
    ASSERT_EQ(whole(again), whole(ledger_));
  }

  Dice dice_;
  Ledger ledger_;
  const std::vector<std::string> others_{kBravo, kCarol, "delta"};
  std::map<std::string, std::vector<Told>> logs_;
  std::vector<Told> unread_;
  std::vector<Disclosed> disclosed_;
  UnixSeconds clock_ = kStart, last_time_ = 0;
};

TEST(Ledger, NeverSaysLessThanAnObserverWhoSawEverything) {
  const std::uint64_t sessions = from_environment("PARLEY_LEDGER_SESSIONS", 100'000);
  const std::uint64_t first = from_environment("PARLEY_SEED", std::random_device()());
  for (std::uint64_t world = 0; world < sessions / kSessionsAWorld; ++world) {
    SCOPED_TRACE("PARLEY_SEED=" + std::to_string(first + world));
    World(first + world).run_sessions();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace parley::ledger
