// Tags, batches and counts as a vault keeps them.
#include "vault/testing.h"

namespace parley::vault {
namespace {

const std::string kGroup(32, 'a');
const Digest kEpoch = random_bytes<32>(), kOther = random_bytes<32>();

std::vector<TestRecord> addresses(int count) {
  std::vector<TestRecord> records;
  for (int i = 0; i < count; ++i)
    records.push_back({indicator::Type::ipv4, "198.51.100." + std::to_string(i), indicator::Context{}, 0});
  return records;
}

/// A vault with five addresses and a name for a group that admits all.
class VaultAdmission : public testing::Test {
 protected:
  VaultAdmission() {
    auto records = addresses(5);
    records.push_back({indicator::Type::domain, "evil.example", indicator::Context{}, 0});
    EXPECT_OK(import_records(*vault, {.source = "a.csv", .format = "csv", .labels = {}, .tlp = {}}, records));
    EXPECT_OK(vault->put_group({.id = kGroup, .name = "g", .state = "active"}));
    EXPECT_OK(vault->set_group_material(kGroup, std::vector{MaterialRule{}}));
    selection.group = kGroup;
  }
  using Waiting = std::vector<std::pair<ItemId, indicator::Canonical>>;
  Waiting waiting(std::uint64_t most = 100, const Digest& epoch = kEpoch) {
    const auto items = vault->not_admitted(selection, epoch, indicator::Type::ipv4, most);
    EXPECT_OK(items);
    return *items;
  }
  static AdmissionInput input_of(const Waiting& items) {
    AdmissionInput input{.seed = random_secret<32>(), .blinded = Bytes(items.size() * 32), .items = {}};
    input.items = items;
    return input;
  }
  std::int64_t begin(const Waiting& items) {
    EXPECT_OK(vault->add_admission_batch(kGroup, kEpoch, indicator::Type::ipv4, input_of(items)));
    return vault->admission_batches(kGroup, kEpoch)->back().number;
  }
  std::uint64_t tagged(const Digest& epoch) {
    selection.admission = TaggedOnly{.epoch = epoch, .types = {indicator::Type::ipv4}};
    const auto counts = vault->count(selection);
    EXPECT_OK(counts);
    const auto found = counts->find(indicator::Type::ipv4);
    EXPECT_EQ(counts->at(indicator::Type::domain), 1u) << "other types need no tag";
    selection.admission.reset();
    return found == counts->end() ? 0 : found->second;
  }

  TestVault test;
  std::unique_ptr<Vault> vault = test.open();
  Selection selection;
};

TEST_F(VaultAdmission, GivesWhatHasNoTagAndIsInNoBatch) {
  EXPECT_EQ(waiting().size(), 5u);
  EXPECT_EQ(waiting(2).size(), 2u);
  begin(waiting(2));
  EXPECT_EQ(waiting().size(), 3u);
  EXPECT_EQ(waiting(100, kOther).size(), 5u) << "of another epoch nothing has begun";
}

TEST_F(VaultAdmission, GivesABatchBackAsItWas) {
  const Waiting items = waiting(3);
  AdmissionInput input = input_of(items);
  fill_random(input.blinded);
  ASSERT_OK(vault->add_admission_batch(kGroup, kEpoch, indicator::Type::ipv4, input));
  const auto batches = vault->admission_batches(kGroup, kEpoch);
  ASSERT_OK(batches);
  ASSERT_EQ(batches->size(), 1u);
  EXPECT_EQ(batches->front().count, 3u);
  const auto back = vault->admission_input(batches->front().number);
  ASSERT_OK(back);
  EXPECT_TRUE(back->seed.equals(input.seed));
  EXPECT_EQ(back->blinded, input.blinded);
  EXPECT_EQ(back->items, input.items);
}

TEST_F(VaultAdmission, TakesNoIndicatorIntoTwoBatches) {
  const Waiting items = waiting(2);
  begin(items);
  EXPECT_FAILS(vault->add_admission_batch(kGroup, kEpoch, indicator::Type::ipv4, input_of(items)), Errc::exists);
  EXPECT_EQ(vault->admission_batches(kGroup, kEpoch)->size(), 1u);
}

TEST_F(VaultAdmission, FinishesABatchWholeOrNotAtAll) {
  const std::int64_t batch = begin(waiting(3));
  EXPECT_OK(vault->put_admission_answer(batch, "bravo", Bytes(96)));
  EXPECT_EQ(vault->admission_batches(kGroup, kEpoch)->front().answered, std::vector<std::string>{"bravo"});
  EXPECT_FAILS(vault->finish_admission_batch(batch, Bytes(64)), Errc::internal);
  EXPECT_EQ(tagged(kEpoch), 0u);
  EXPECT_OK(vault->finish_admission_batch(batch, Bytes(96)));
  EXPECT_EQ(tagged(kEpoch), 3u);
  EXPECT_EQ(tagged(kOther), 0u);
  EXPECT_TRUE(vault->admission_batches(kGroup, kEpoch)->empty());
  EXPECT_FAILS(vault->admission_input(batch), Errc::not_found);
  EXPECT_OK(vault->finish_admission_batch(batch, Bytes(96)));
  EXPECT_OK(vault->put_admission_answer(batch, "bravo", Bytes(96)));
  EXPECT_TRUE(vault->admission_answers(batch)->empty()) << "what comes late changes nothing";
}

TEST_F(VaultAdmission, ForgetsAllEpochsButOne) {
  EXPECT_OK(vault->finish_admission_batch(begin(waiting(2)), Bytes(64)));
  begin(waiting(2));
  EXPECT_OK(vault->forget_admissions(kGroup, kEpoch));
  EXPECT_EQ(tagged(kEpoch), 2u);
  EXPECT_OK(vault->forget_admissions(std::string(32, 'b'), std::nullopt));
  EXPECT_EQ(tagged(kEpoch), 2u) << "another group's";
  EXPECT_OK(vault->forget_admissions(kGroup, kOther));
  EXPECT_EQ(tagged(kEpoch), 0u);
  EXPECT_TRUE(vault->admission_batches(kGroup, kEpoch)->empty());
  EXPECT_EQ(waiting().size(), 5u);
}

TEST_F(VaultAdmission, KeepsTagsAndBatchesWhenItIsOpenedAgain) {
  EXPECT_OK(vault->finish_admission_batch(begin(waiting(2)), Bytes(64)));
  const std::int64_t batch = begin(waiting(1));
  vault.reset();
  vault = test.open();
  EXPECT_EQ(tagged(kEpoch), 2u);
  EXPECT_OK(vault->admission_input(batch));
}

TEST_F(VaultAdmission, CountsABatchOnceAndAddsUpByHelperOwnerAndType) {
  const auto count = [](std::uint8_t batch, const char* owner, std::int64_t number) {
    AdmissionCount made{.helper = "bravo", .owner = owner, .epoch = kEpoch, .count = number, .time = batch};
    made.batch[0] = static_cast<std::byte>(batch);
    made.entry[0] = std::byte{1};
    return made;
  };
  const std::vector counts{count(1, "alpha", 10), count(2, "alpha", 20), count(3, "charlie", 5)};
  EXPECT_OK(vault->note_admissions(kGroup, "log", 7, {}, counts));
  EXPECT_OK(vault->note_admissions(kGroup, "log", 7, {}, counts));
  EXPECT_OK(vault->put_admission_count(kGroup, count(1, "alpha", 999)));
  EXPECT_EQ(*vault->admission_read_to("log"), 7u);
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "bravo", "alpha", indicator::Type::ipv4), 30);
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "bravo", "alpha", indicator::Type::ipv6), 0);
  EXPECT_EQ(*vault->admission_total(kGroup, kOther, "bravo", "alpha", indicator::Type::ipv4), 0);
  EXPECT_EQ(vault->admission_totals(kGroup, kEpoch)->size(), 2u);
  EXPECT_EQ(*vault->admission_batches_since(kGroup, "bravo", "alpha", 2), 1);
  EXPECT_EQ(*vault->repeat_admission(kGroup, "bravo", counts[0].batch), 1);
  EXPECT_EQ(*vault->repeat_admission(kGroup, "bravo", counts[0].batch), 2);
  EXPECT_FAILS(vault->repeat_admission(kGroup, "charlie", counts[0].batch), Errc::not_found);
  EXPECT_OK(vault->note_admissions(kGroup, "log", 3, {}, {}));
  EXPECT_EQ(*vault->admission_read_to("log"), 7u) << "reading does not go back";
}

TEST_F(VaultAdmission, DrawsWhatIsNextAtRandomAndInRandomOrder) {
  EXPECT_OK(import_records(*vault, {.source = "b.csv", .format = "csv", .labels = {}, .tlp = {}}, addresses(200)));
  const auto ids = [&](std::uint64_t most) {
    std::vector<ItemId> drawn;
    for (const auto& [id, indicator] : waiting(most)) drawn.push_back(id);
    return drawn;
  };
  const std::vector<ItemId> all = ids(1000);
  EXPECT_EQ(std::set<ItemId>(all.begin(), all.end()).size(), 200u);
  EXPECT_FALSE(std::ranges::is_sorted(waiting(1000), {}, &Waiting::value_type::second))
      << "an order says what ranks below what";
  EXPECT_NE(ids(1000), all);
  const std::vector<ItemId> one = ids(100), two = ids(100);
  EXPECT_EQ(std::set<ItemId>(one.begin(), one.end()).size(), 100u);
  EXPECT_NE(std::set<ItemId>(one.begin(), one.end()), std::set<ItemId>(two.begin(), two.end()));
}

// Each of five is among the two that are drawn in two of five draws: 400 of 1000, with a deviation of 15.5.
TEST_F(VaultAdmission, DrawsEachAsOftenAsEachOtherAndInEachPlace) {
  std::map<ItemId, int> drawn, first;
  for (int i = 0; i < 1000; ++i) {
    const Waiting two = waiting(2);
    for (const auto& [id, indicator] : two) ++drawn[id];
    ++first[two.front().first];
  }
  ASSERT_EQ(drawn.size(), 5u);
  for (const auto& [id, times] : drawn) EXPECT_NEAR(times, 400, 110) << id;
  for (const auto& [id, times] : first) EXPECT_NEAR(times, 200, 90) << id;
}

TEST_F(VaultAdmission, ChargesABatchBeforeItHasAnEntryAndTakesTheEntryOnce) {
  AdmissionCount count{.helper = "bravo", .owner = "alpha", .epoch = kEpoch, .count = 10, .time = 5};
  EXPECT_OK(vault->put_admission_count(kGroup, count));
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "bravo", "alpha", indicator::Type::ipv4), 10);
  EXPECT_FALSE((*vault->admission_count(kGroup, "bravo", {}))->is_logged());
  count.entry = random_bytes<32>();
  count.answers = random_bytes<32>();
  EXPECT_OK(vault->put_admission_count(kGroup, count));
  AdmissionCount other = count;
  other.entry = random_bytes<32>();
  EXPECT_OK(vault->note_admissions(kGroup, "log", 1, {}, std::vector{other}));
  EXPECT_EQ((*vault->admission_count(kGroup, "bravo", {}))->entry, count.entry);
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "bravo", "alpha", indicator::Type::ipv4), 10);
  EXPECT_EQ(*vault->admission_total_since(kGroup, "bravo", "alpha", indicator::Type::ipv4, 5), 10);
  EXPECT_EQ(*vault->admission_total_since(kGroup, "bravo", "alpha", indicator::Type::ipv4, 6), 0);
}

TEST_F(VaultAdmission, KeepsOneSampleOfABatch) {
  AdmissionCount count{.helper = "bravo", .owner = "alpha", .epoch = kEpoch, .count = 10};
  const Digest one = random_bytes<32>();
  EXPECT_FALSE(*vault->keep_admission_sample(kGroup, "bravo", {}, one)) << "there is no such batch";
  EXPECT_OK(vault->put_admission_count(kGroup, count));
  EXPECT_TRUE(*vault->keep_admission_sample(kGroup, "bravo", {}, one));
  EXPECT_TRUE(*vault->keep_admission_sample(kGroup, "bravo", {}, one));
  EXPECT_FALSE(*vault->keep_admission_sample(kGroup, "bravo", {}, random_bytes<32>()));
}

TEST_F(VaultAdmission, KeepsWhatWasFixedOfABatchUntilItIsDropped) {
  const std::int64_t batch = begin(waiting(3));
  EXPECT_FALSE(*vault->admission_fixed(batch, "bravo"));
  const AdmissionFixed fixed{.answers = random_bytes<32>(), .sample = {0, 2, 16'383}};
  EXPECT_OK(vault->fix_admission(batch, "bravo", fixed));
  EXPECT_FALSE(vault->fix_admission(batch, "bravo", fixed).has_value()) << "it is fixed once";
  const auto kept = vault->admission_fixed(batch, "bravo");
  ASSERT_OK(kept);
  ASSERT_TRUE(*kept);
  EXPECT_EQ((*kept)->answers, fixed.answers);
  EXPECT_EQ((*kept)->sample, fixed.sample);
  EXPECT_FALSE(*vault->admission_fixed(batch, "charlie"));
  EXPECT_EQ(waiting().size(), 2u);
  EXPECT_OK(vault->drop_admission_batch(batch));
  EXPECT_EQ(waiting().size(), 5u) << "its items wait again";
  EXPECT_FALSE(*vault->admission_fixed(batch, "bravo"));
}

// A disk that is put back gives up entries that never left; counts of theirs go with them, and with them the mark of
// how far the log was read. What was charged and has no entry yet stays charged.
TEST_F(VaultAdmission, ReadsALogAgainThatWasCut) {
  const LogHead head{.origin = "own", .group = kGroup, .nick = "bravo", .own = true, .checkpoint = {}};
  EXPECT_OK(vault->begin_log(head));
  AdmissionCount logged{.helper = "bravo", .owner = "alpha", .epoch = kEpoch, .count = 10};
  logged.entry = random_bytes<32>();
  AdmissionCount charged{.helper = "bravo", .owner = "alpha", .epoch = kEpoch, .batch = random_bytes<32>(), .count = 3};
  AdmissionCount of_other = logged;
  of_other.helper = "charlie";
  const AdmissionKey key{.nick = "bravo", .epoch = "1.0.0", .members = "alpha,bravo"};
  EXPECT_OK(vault->note_admissions(kGroup, "own", 7, std::vector{key}, std::vector{logged, charged}));
  EXPECT_OK(vault->note_admissions(kGroup, "other", 9, {}, std::vector{of_other}));
  EXPECT_OK(vault->cut_log("own", 0, {}));
  EXPECT_EQ(*vault->admission_read_to("own"), 0u);
  EXPECT_EQ(*vault->admission_read_to("other"), 9u);
  EXPECT_TRUE(vault->admission_keys(kGroup, "1.0.0")->empty());
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "bravo", "alpha", indicator::Type::ipv4), 3);
  EXPECT_EQ(*vault->admission_total(kGroup, kEpoch, "charlie", "alpha", indicator::Type::ipv4), 10);
}

// Helpers see so many places for each set and type, whatever is in them.
TEST_F(VaultAdmission, HasCanariesAdmittedInAsManyPlacesWhateverTheirNumber) {
  const auto canary = [](const char* address) {
    return indicator::Canonical::from_storage(indicator::Type::ipv4, address);
  };
  const Digest set = random_bytes<32>();
  const std::vector<AdmissionDecoys> decoys{
      {.type = indicator::Type::ipv4, .canaries = {canary("203.0.113.1"), canary("203.0.113.2")}, .count = 64},
      {.type = indicator::Type::cve, .canaries = {}, .count = 64}};
  EXPECT_OK(vault->admit_canaries(kGroup, kEpoch, set, decoys));
  EXPECT_OK(vault->admit_canaries(kGroup, kEpoch, set, decoys));
  EXPECT_EQ(waiting(1000).size(), 5u + 64u);
  EXPECT_EQ(vault->not_admitted(selection, kEpoch, indicator::Type::cve, 1000)->size(), 64u);
  const Waiting first = waiting(64);
  EXPECT_TRUE(std::ranges::all_of(first, [](const auto& each) { return each.first < 0; })) << "they go before items";
  // In a second set one that is known already takes no new place, and there are as many new ones.
  const std::vector<AdmissionDecoys> next{
      {.type = indicator::Type::ipv4, .canaries = {canary("203.0.113.2"), canary("203.0.113.3")}, .count = 64}};
  EXPECT_OK(vault->admit_canaries(kGroup, kEpoch, random_bytes<32>(), next));
  EXPECT_EQ(waiting(1000).size(), 5u + 128u);

  const std::int64_t batch = begin(waiting(1000));
  const auto input = vault->admission_input(batch);
  ASSERT_OK(input);
  EXPECT_EQ(input->items.size(), 133u);
  EXPECT_EQ(vault->admission_batches(kGroup, kEpoch)->front().canaries, 128u);
  EXPECT_OK(vault->finish_admission_batch(batch, Bytes(133 * 32)));
  EXPECT_EQ(tagged(kEpoch), 5u) << "canaries are no items";
  EXPECT_EQ((*vault->count_tags(kGroup, kEpoch))[indicator::Type::ipv4], 133u) << "but count as admitted";
  EXPECT_EQ(waiting(1000).size(), 0u);
  const auto canaries = vault->admission_canaries(kGroup, kEpoch);
  ASSERT_OK(canaries);
  EXPECT_EQ(canaries->size(), 192u);
  EXPECT_EQ(std::ranges::count(*canaries, canary("203.0.113.2"), &Waiting::value_type::second), 1);
  EXPECT_OK(vault->forget_admissions(kGroup, kOther));
  EXPECT_TRUE(vault->admission_canaries(kGroup, kEpoch)->empty());
}

TEST_F(VaultAdmission, KeepsTheFirstKeyOfAMemberForAnEpoch) {
  AdmissionKey first{.nick = "bravo", .epoch = "1.0.0", .members = "alpha,bravo", .key = random_bytes<32>()};
  AdmissionKey second = first;
  second.key = random_bytes<32>();
  EXPECT_OK(vault->note_admissions(kGroup, "log", 1, std::span(&first, 1), {}));
  EXPECT_OK(vault->note_admissions(kGroup, "log", 2, std::span(&second, 1), {}));
  const auto keys = vault->admission_keys(kGroup, "1.0.0");
  ASSERT_OK(keys);
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().key, first.key);
  EXPECT_TRUE(vault->admission_keys(kGroup, "1.0.1")->empty());
  second.type = indicator::Type::cve;
  EXPECT_OK(vault->note_admissions(kGroup, "log", 3, std::span(&second, 1), {}));
  EXPECT_EQ(vault->admission_keys(kGroup, "1.0.0")->size(), 2u) << "each type has its own";
}

}  // namespace
}  // namespace parley::vault
