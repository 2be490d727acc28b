// A record and an operator's key have one spelling each, and nothing else is taken.
#include "operators/record.h"

#include "operators/testing.h"

namespace parley::operators {
namespace {

Record example() {
  Record record{.seq = 7, .time = 1'700'000'000, .by = "ann", .kind = Kind::confirm, .act = Act::reveal, .of = 3};
  record.prev.fill(std::byte{1});
  record.subject.fill(std::byte{2});
  return record;
}

TEST(Record, IsReadBackAsItWasWritten) {
  for (const Kind kind : kAllKinds) {
    Record record = example();
    record.kind = kind;
    EXPECT_EQ(*read_record(write_record(record)), record) << name_of(kind);
  }
  for (const Act act : kAllActs) {
    Record record = example();
    record.act = act;
    record.of.reset();
    EXPECT_EQ(*read_record(write_record(record)), record) << name_of(act);
    EXPECT_EQ(act_named(name_of(act)), act);
  }
}

TEST(Record, IsRefusedInAnyOtherForm) {
  const std::string good = write_record(example());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"\"v\":1", "\"v\":2"},
                                                                                 {"confirm", "conform"},
                                                                                 {"\"reveal\"", "\"steal\""},
                                                                                 {"\"of\":3", "\"of\":-2"},
                                                                                 {"\"seq\":7", "\"seq\":-7"},
                                                                                 {"\"time\":1", "\"time\":-1"},
                                                                                 {"\"by\":\"ann\"", "\"by\":1"},
                                                                                 {"\"by\"", "\"bx\""},
                                                                                 {"{", "{ "}}) {
    std::string altered = good;
    ASSERT_NE(altered.find(from), std::string::npos) << from;
    altered.replace(altered.find(from), from.size(), to);
    EXPECT_FALSE(read_record(altered)) << to;
  }
  EXPECT_FALSE(read_record(""));
  EXPECT_FALSE(read_record(good + "\n"));
  EXPECT_FAILS(read_record(std::string(kMaxRecordBytes + 1, ' ')), Errc::limit);
}

TEST(Record, IsSignedByOneKeyAndForNothingElse) {
  const Secret<32> seed = random_secret<32>(), other = random_secret<32>();
  const std::string text = write_record(example());
  const crypto::Signature signature = sign_record(seed, text);
  EXPECT_TRUE(verify_record(crypto::public_key_of(seed), text, signature));
  EXPECT_FALSE(verify_record(crypto::public_key_of(other), text, signature));
  EXPECT_FALSE(verify_record(crypto::public_key_of(seed), text + " ", signature));
  EXPECT_FALSE(verify_record(crypto::public_key_of(seed), text, ByteView(signature).first(63)));
  EXPECT_FALSE(verify_record(crypto::public_key_of(seed), text, crypto::sign(seed, as_bytes(text))))
      << "a signature of the bare text is one for something else";
}

TEST(OperatorKey, ComesBackFromItsSecretAndFromNoOther) {
  vault::Unlock by_file, by_word;
  by_file.key_file = random_secret<32>();
  by_word.passphrase = vault::passphrase("correct horse");
  for (const vault::Unlock* secret : {&by_file, &by_word}) {
    const auto key = make_operator_key(*secret);
    ASSERT_OK(key);
    const auto seed = operator_seed(*key, *secret);
    ASSERT_OK(seed);
    EXPECT_EQ(crypto::public_key_of(*seed), key->key);
    EXPECT_EQ(*OperatorKey::parse(key->line()), *key);
    EXPECT_FAILS(operator_seed(*key, secret == &by_file ? by_word : by_file), Errc::passphrase);
    EXPECT_NE(make_operator_key(*secret)->key, key->key) << "each key has a salt of its own";
  }
  vault::Unlock wrong;
  wrong.key_file = random_secret<32>();
  EXPECT_FAILS(operator_seed(*make_operator_key(by_file), wrong), Errc::passphrase);
  EXPECT_FAILS(make_operator_key(vault::Unlock{}), Errc::passphrase);
}

TEST(OperatorKey, IsRefusedInAnyOtherForm) {
  const std::string good = Person("ann").key().line();
  ASSERT_OK(OperatorKey::parse(good));
  for (const std::string& bad : std::vector<std::string>{
           std::string(), good.substr(1), good + "A", good.substr(0, good.size() - 1), good + ":",
           "parley-operator1:", "parley-operator1:keyfile",
           "parley-operator1:word" + good.substr(good.find(":keyfile") + 8), std::string(kMaxKeyLineBytes + 1, 'a')})
    EXPECT_FALSE(OperatorKey::parse(bad)) << bad;
  OperatorKey weak;
  EXPECT_FAILS(OperatorKey::parse(weak.line()), Errc::key_weak);
}

}  // namespace
}  // namespace parley::operators
