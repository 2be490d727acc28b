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
  std::vector<Item> waiting(std::uint64_t most = 100, const Digest& epoch = kEpoch) {
    const auto items = vault->not_admitted(selection, epoch, indicator::Type::ipv4, most);
    EXPECT_OK(items);
    return *items;
  }
  static AdmissionInput input_of(const std::vector<Item>& items) {
    AdmissionInput input{.seed = random_secret<32>(), .blinded = Bytes(items.size() * 32), .items = {}};
    for (const Item& item : items) input.items.emplace_back(item.id, item.indicator);
    return input;
  }
  std::int64_t begin(const std::vector<Item>& items) {
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
  const std::vector<Item> items = waiting(3);
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
  const std::vector<Item> items = waiting(2);
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
    return made;
  };
  const std::vector counts{count(1, "alpha", 10), count(2, "alpha", 20), count(3, "charlie", 5)};
  EXPECT_OK(vault->note_admissions(kGroup, "log", 7, {}, counts));
  EXPECT_OK(vault->note_admissions(kGroup, "log", 7, {}, counts));
  EXPECT_OK(vault->add_admission_count(kGroup, count(1, "alpha", 999)));
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
}

}  // namespace
}  // namespace parley::vault
