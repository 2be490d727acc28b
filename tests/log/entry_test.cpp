#include "log/entry.h"

#include <gtest/gtest.h>

#include <functional>

#include "member.h"
#include "vectors.h"

namespace parley::log {
namespace {

std::string vector_text(const char* name) {
  return log_vectors()[name].get<std::string>();
}

Entry vector_entry() {
  Entry entry;
  entry.author = "alpha";
  entry.charter = array_of<32>(std::string(64, '1'));
  entry.audience = {"bravo"};
  entry.body = array_of<32>("70aad72bdc3c46dd6e0fd2e8f8ad2347ef421a863a15a524a5ea9ff8cab034de");
  entry.time = 1'790'000'000;
  entry.type = kLogOpen;
  return entry;
}

TEST(Entry, IsSignedAndReadAsInTheVectors) {
  const Secret<32> seed = seed_of(vector_text("alpha_node_seed_hex"));
  const VerifierKey node = *parse_vkey(vector_text("alpha_node_vkey"));
  const auto note = make_entry(vector_entry(), node.name, seed);
  ASSERT_TRUE(note.has_value()) << note.error().text();
  EXPECT_EQ(*note, vector_text("entry_note"));
  const MemberKeys alpha{"alpha", node, {}, {}};
  EXPECT_EQ(*read_entry(*note, alpha), vector_entry());
  EXPECT_EQ(*read_entry_unverified(*note), vector_entry());
}

TEST(Entry, IsRefusedWithAnyBitFlipped) {
  const MemberKeys alpha{"alpha", *parse_vkey(vector_text("alpha_node_vkey")), {}, {}};
  const std::string good = vector_text("entry_note");
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string note = good;
    note[bit / 8] = static_cast<char>(note[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_entry(note, alpha).has_value()) << "bit " << bit;
  }
}

// Entries are read by a scanner of their one spelling, and by the general readers of notes and objects where that one
// does not take them: both say the same of every entry, and of every way in which a byte of one can be another.
TEST(Entry, IsReadTheSameByBothReaders) {
  const TestMember alpha("alpha");
  Entry entry = vector_entry();
  entry.seq = 1234567;
  entry.prev = array_of<32>(std::string(64, 'a'));
  entry.type = kSessionRun;
  entry.session = std::string(32, '7');
  entry.audience = {"bravo", "carol-2"};
  entry.refs = {array_of<32>(std::string(64, 'b')), array_of<32>(std::string(64, 'c'))};
  Entry bare = vector_entry();
  bare.audience = {};
  std::size_t taken = 0;
  for (const Entry& one : {vector_entry(), entry, bare}) {
    const std::string good = alpha.sign(one);
    EXPECT_EQ(*parse_entry(good), one);
    EXPECT_EQ(*read_entry_unverified(good), one);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char other :
           {'"', '\\', '\n', '0', '1', '9', 'a', 'f', 'g', 'A', '-', ',', ']', ' ', '=', '/', '\x7f', '\xc3'}) {
        std::string note = good;
        note[i] = other;
        const auto quick = read_entry_unverified(note);
        const auto slow = parse_entry(note);
        ASSERT_EQ(quick.has_value(), slow.has_value()) << note;
        if (quick) {
          ASSERT_EQ(*quick, *slow) << note;
          ++taken;
        } else {
          ASSERT_EQ(quick.error().text(), slow.error().text());
        }
      }
      std::string longer = good, shorter = good;
      longer.insert(i, 1, good[i]);
      shorter.erase(i, 1);
      for (const std::string& note : {longer, shorter}) {
        const auto quick = read_entry_unverified(note);
        const auto slow = parse_entry(note);
        ASSERT_EQ(quick.has_value(), slow.has_value()) << note;
        if (quick) {
          ASSERT_EQ(*quick, *slow) << note;
        }
      }
    }
  }
  EXPECT_GT(taken, 1000u) << "hashes and signatures may say anything";
}

class EntryOf : public testing::Test {
 protected:
  const TestMember alpha_{"alpha"}, bravo_{"bravo"};
};

TEST_F(EntryOf, AnotherMemberOrKeyIsRefused) {
  const std::string note = alpha_.sign(vector_entry());
  EXPECT_TRUE(read_entry(note, alpha_.keys).has_value());
  EXPECT_EQ(read_entry(note, bravo_.keys).error().code, Errc::signature);
  MemberKeys renamed = alpha_.keys;
  renamed.nick = "alpha2";
  EXPECT_EQ(read_entry(note, renamed).error().code, Errc::format) << "it says that it is by alpha";
  MemberKeys cosigning = alpha_.keys;
  cosigning.node.type = KeyType::cosignature;
  EXPECT_EQ(read_entry(note, cosigning).error().code, Errc::signature);
}

TEST_F(EntryOf, AHeaderThatBreaksARuleIsNeitherSignedNorRead) {
  struct Case {
    const char* what;
    std::function<void(Entry&)> change;
  };
  const std::string session(32, 'a');
  const auto later = [](Entry& e) {
    e.seq = 1;
    e.type = kHeads;
  };
  for (const Case& one : {
           Case{"no author", [](Entry& e) { e.author.clear(); }},
           Case{"an author that is no nick", [](Entry& e) { e.author = "Alpha"; }},
           Case{"an unknown type",
                [&](Entry& e) {
                  e.seq = 1;
                  e.type = "heads2";
                }},
           Case{"no type",
                [&](Entry& e) {
                  e.seq = 1;
                  e.type.clear();
                }},
           Case{"log.open not at the beginning", [](Entry& e) { e.seq = 1; }},
           Case{"another type at the beginning", [](Entry& e) { e.type = kHeads; }},
           Case{"an entry before the first", [](Entry& e) { e.prev[0] = std::byte{1}; }},
           Case{"a number past the largest tree",
                [&](Entry& e) {
                  later(e);
                  e.seq = kMaxTreeSize;
                }},
           Case{"a session where none belongs",
                [&](Entry& e) {
                  later(e);
                  e.session = session;
                }},
           Case{"no session where one belongs",
                [&](Entry& e) {
                  later(e);
                  e.type = kSessionRun;
                }},
           Case{"a session in capitals",
                [&](Entry& e) {
                  later(e);
                  e.type = kSessionRun;
                  e.session = std::string(32, 'A');
                }},
           Case{"a short session",
                [&](Entry& e) {
                  later(e);
                  e.type = kSessionRun;
                  e.session = "aa";
                }},
           Case{"a session for a proposal",
                [&](Entry& e) {
                  later(e);
                  e.type = kSessionPropose;
                  e.session = session;
                }},
           Case{"a negative time", [](Entry& e) { e.time = -1; }},
           Case{"a time past PJ1", [](Entry& e) { e.time = kMaxInteger + 1; }},
           Case{"17 references",
                [](Entry& e) {
                  for (int i = 0; i < 17; ++i) e.refs.push_back(Digest{static_cast<std::byte>(i)});
                }},
           Case{"a reference twice", [](Entry& e) { e.refs = {Digest{std::byte{1}}, Digest{std::byte{1}}}; }},
           Case{"an audience out of order", [](Entry& e) { e.audience = {"carol", "bravo"}; }},
           Case{"an audience with a nick twice", [](Entry& e) { e.audience = {"bravo", "bravo"}; }},
           Case{"an audience of everyone and more", [](Entry& e) { e.audience = {"*", "bravo"}; }},
           Case{"an audience of no nick", [](Entry& e) { e.audience = {"b r"}; }},
           Case{"its author as audience", [](Entry& e) { e.audience = {"alpha", "bravo"}; }},
           Case{"an audience larger than a group",
                [](Entry& e) {
                  e.audience.clear();
                  for (char c = 'a'; c < 'a' + 16; ++c) e.audience.push_back(std::string(1, c));
                }},
       }) {
    Entry entry = vector_entry();
    one.change(entry);
    const auto made = make_entry(entry, alpha_.keys.node.name, alpha_.node);
    ASSERT_FALSE(made.has_value()) << one.what;
    EXPECT_EQ(made.error().code, Errc::format) << one.what;
  }
}

TEST_F(EntryOf, AnotherSchemaIsRefused) {
  const std::string good =
      write_pjson(*read_object_unverified(*parse_note(vector_text("entry_note")), kEntryKind, 16384));
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  const auto read = [&](const std::string& object, std::string_view kind = kEntryKind) {
    return read_entry(sign_note(std::string(kind) + "\n" + object + "\n", alpha_.keys.node.name, alpha_.node),
                      alpha_.keys);
  };
  ASSERT_TRUE(read(good).has_value());
  for (const std::string& object : {
           std::string("{}"),
           replaced("\"v\":1", "\"v\":2"),
           replaced("\"v\":1", "\"v\":1,\"w\":1"),
           replaced(",\"v\":1", ""),
           replaced("\"seq\":0,", ""),
           replaced("\"seq\":0", "\"seq\":-1"),
           replaced("\"seq\":0", "\"seq\":\"0\""),
           replaced("\"seq\":0", "\"seq\":00"),
           replaced("\"seq\":0", "\"seq\":9007199254740991"),
           replaced("\"refs\":[]", "\"refs\":[\"00\"]"),
           replaced("\"refs\":[]", "\"refs\":{}"),
           replaced("[\"bravo\"]", "\"bravo\""),
           replaced("[\"bravo\"]", "[1]"),
           replaced("70aa", "70AA"),
           replaced("70aa", ""),
           replaced("log.open", "log.opem"),
           replaced("\"aud\"", " \"aud\""),
           good + " ",
           good + "\n" + good,
       }) {
    const auto entry = read(object);
    ASSERT_FALSE(entry.has_value()) << object;
    EXPECT_EQ(entry.error().code, Errc::format) << object;
  }
  EXPECT_FALSE(read(good, "parley/entry/v2").has_value());
  EXPECT_FALSE(read(good, "parley/step/v1").has_value());
}

TEST_F(EntryOf, TwoSignaturesOrTooManyBytesIsRefused) {
  const std::string note = alpha_.sign(vector_entry());
  EXPECT_EQ(read_entry(*add_signature(note, "b", bravo_.node), alpha_.keys).error().code, Errc::format);
  EXPECT_EQ(read_entry_unverified(*add_signature(note, "b", bravo_.node)).error().code, Errc::format);
  const std::string long_note =
      sign_note(std::string(kEntryKind) + "\n{\"a\":\"" + std::string(kMaxEntryBytes, 'x') + "\"}\n",
                alpha_.keys.node.name, alpha_.node);
  EXPECT_EQ(read_entry(long_note, alpha_.keys).error().code, Errc::limit);
  EXPECT_EQ(read_entry_unverified(long_note).error().code, Errc::limit);
}

TEST_F(EntryOf, TheLargestHeaderFitsALeaf) {
  Entry entry = vector_entry();
  entry.author = std::string(32, 'a');
  entry.audience.clear();
  for (char c = 'b'; c < 'b' + 15; ++c) entry.audience.push_back(std::string(32, c));
  for (int i = 0; i < 16; ++i) entry.refs.push_back(Digest{static_cast<std::byte>(i)});
  const auto note = make_entry(entry, std::string(255, 'n'), alpha_.node);
  ASSERT_TRUE(note.has_value()) << note.error().text();
  EXPECT_LE(note->size(), kMaxEntryBytes);
}

// --- bodies ------------------------------------------------------------------------------------------------------

TEST_F(EntryOf, ABodyOpensWithItsSaltOnly) {
  const Json object = Json::Object{{"a", 1}};
  const Body body = *make_body(object);
  Entry entry = vector_entry();
  entry.body = body.commitment();
  EXPECT_EQ(*open_body(entry, body), object);
  EXPECT_NE(make_body(object)->commitment(), body.commitment()) << "each body has a salt of its own";
  Body altered = body;
  altered.text = "{\"a\":2}";
  EXPECT_EQ(open_body(entry, altered).error().code, Errc::signature);
  altered = body;
  altered.salt[31] ^= std::byte{1};
  EXPECT_EQ(open_body(entry, altered).error().code, Errc::signature);
}

TEST_F(EntryOf, ABodyThatIsNoObjectOrTooLargeIsRefused) {
  Entry entry = vector_entry();
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{} "), std::string("{\"b\":1,\"a\":1}")}) {
    const Body body{Salt{}, text};
    entry.body = body.commitment();
    EXPECT_EQ(open_body(entry, body).error().code, Errc::format) << text;
  }
  const Body large{Salt{}, std::string(kMaxBodyBytes + 1, 'x')};
  entry.body = large.commitment();
  EXPECT_EQ(open_body(entry, large).error().code, Errc::limit);
  EXPECT_EQ(make_body(Json::Object{{"a", std::string(kMaxBodyBytes, 'x')}}).error().code, Errc::limit);
}

// --- the chain ---------------------------------------------------------------------------------------------------

TEST_F(EntryOf, ALogContinuesItOneByOne) {
  TestLog log(alpha_);
  EXPECT_EQ(log.state, (LogState{1, log.hashes[0], 1'790'000'000, false}));
  log.append(kHeads);
  log.append(kSessionAccept, session_name('a'));
  EXPECT_EQ(log.state.size, 3u);
  EXPECT_EQ(log.state.last, leaf_hash(as_bytes(log.leaves[2])));
}

TEST_F(EntryOf, ABrokenChainIsRefused) {
  const TestLog log = [&] {
    TestLog made(alpha_);
    made.append(kHeads);
    return made;
  }();
  struct Case {
    const char* what;
    std::function<void(Entry&)> change;
  };
  for (const Case& one : {
           Case{"a gap", [](Entry& e) { e.seq += 1; }},
           Case{"a repeat", [](Entry& e) { e.seq -= 1; }},
           Case{"another entry before it", [](Entry& e) { e.prev[5] ^= std::byte{1}; }},
           Case{"no entry before it", [](Entry& e) { e.prev = {}; }},
           Case{"an earlier time", [](Entry& e) { e.time -= 2; }},
       }) {
    Entry entry = log.next(kHeads);
    one.change(entry);
    const auto extended = extend(log.state, alpha_.sign(entry), alpha_.keys);
    ASSERT_FALSE(extended.has_value()) << one.what;
    EXPECT_EQ(extended.error().code, Errc::protocol) << one.what;
  }
  EXPECT_EQ(extend({}, alpha_.sign(log.next(kHeads)), alpha_.keys).error().code, Errc::protocol);
}

// Who has gone stays in what was written for it, and whoever comes later reads that from the beginning.
TEST_F(EntryOf, SomebodyWhoIsNoMemberAnyMoreContinuesALogLikeAnyOther) {
  TestLog log(alpha_);
  Entry entry = log.next(kHeads);
  entry.audience = {"gone"};
  EXPECT_TRUE(extend(log.state, alpha_.sign(entry), alpha_.keys).has_value());
}

TEST_F(EntryOf, NobodyButItsOwnerContinuesALog) {
  TestLog log(alpha_);
  Entry entry = log.next(kHeads);
  EXPECT_TRUE(extend(log.state, alpha_.sign(entry), alpha_.keys).has_value());
  EXPECT_EQ(extend(log.state, alpha_.sign(entry), bravo_.keys).error().code, Errc::signature);
  EXPECT_EQ(extend(log.state, bravo_.sign(entry), alpha_.keys).error().code, Errc::signature);
  entry.author = "bravo";
  EXPECT_EQ(extend(log.state, alpha_.sign(entry), alpha_.keys).error().code, Errc::format);
}

TEST_F(EntryOf, NothingFollowsASeal) {
  for (const std::string_view seal : {kLogSeal, kGroupSeal}) {
    TestLog log(alpha_);
    log.append(seal);
    EXPECT_TRUE(log.state.sealed);
    for (const std::string_view type : {kHeads, kLogSeal, kGroupSeal}) {
      const auto extended = extend(log.state, alpha_.sign(log.next(type)), alpha_.keys);
      ASSERT_FALSE(extended.has_value());
      EXPECT_EQ(extended.error().code, Errc::protocol);
    }
  }
}

TEST_F(EntryOf, AnAuthorWhoseClockGoesBackKeepsItsLastTime) {
  const LogState state{3, {}, 1000, false};
  EXPECT_EQ(state.time_of_next(1001), 1001);
  EXPECT_EQ(state.time_of_next(999), 1000);
  EXPECT_EQ(state.time_of_next(-5), 1000);
}

// --- types -------------------------------------------------------------------------------------------------------

TEST(EntryType, StandsInTheTableOnce) {
  for (const EntryType& type : kEntryTypes) {
    EXPECT_EQ(std::ranges::count(kEntryTypes, type.name, &EntryType::name), 1) << type.name;
    EXPECT_EQ(entry_type(type.name)->session, type.session);
    if (type.once) {
      EXPECT_EQ(type.session, SessionUse::always) << type.name;
    }
  }
  EXPECT_FALSE(entry_type("").has_value());
  EXPECT_FALSE(entry_type("log.ope").has_value());
}

TEST(EntryType, ThatIsWrittenOnceHasAKeyOfAuthorSessionAndType) {
  Entry entry;
  entry.author = "alpha";
  entry.session = session_name('a');
  entry.type = kSessionCommit;
  EXPECT_EQ(step_key(entry), (StepKey{"alpha", session_name('a'), std::string(kSessionCommit)}));
  for (const std::string_view type : {kRevealOffer, kRevealConsent, kLedgerSettle, kHeads, kSessionRefuse}) {
    entry.type = type;
    EXPECT_FALSE(step_key(entry).has_value()) << type;
  }
}

TEST(SessionName, IsTheHashOfItsProposal) {
  EXPECT_EQ(session_of_proposal(Digest{}).size(), 32u);
  EXPECT_NE(session_of_proposal(Digest{}), session_of_proposal(Digest{std::byte{1}}));
}

}  // namespace
}  // namespace parley::log
