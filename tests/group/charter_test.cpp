// The charter: its form, its rules, its hash and its signatures (log.md 1.5).
#include "base/encoding.h"
#include "group/charters.h"

namespace parley::group {
namespace {

using log::Json;

Json::Object object_of(const Charter& charter) {
  return *log::read_object_unverified(*log::parse_note(signed_charter(charter, {"alpha"})), kCharterKind,
                                      kMaxCharterBytes)
              ->object();
}

/// The charter's object with one thing changed, signed by all.
std::string with(const Charter& charter, const std::function<void(Json::Object&)>& change) {
  Json::Object object = object_of(charter);
  change(object);
  return signed_note(fmt::format("{}\n{}\n", kCharterKind, log::write_pjson(object)), nicks_of(charter));
}

TEST(Charter, IsWrittenAndReadForTwoToSixteenMembers) {
  for (std::size_t n = 2; n <= 16; ++n) {
    const Charter charter = charter_of(n);
    const auto read = read_founded(signed_charter(charter, nicks_of(charter)));
    ASSERT_HOLDS(read) << n;
    EXPECT_EQ(read->charter, charter) << n;
    EXPECT_EQ(read->hash, crypto::sha256(as_bytes(charter_text(charter)))) << n;
    EXPECT_EQ(read->signers, nicks_of(charter)) << n;
  }
}

TEST(Charter, IsRefusedForOneMemberOrSeventeen) {
  EXPECT_REFUSED(check_charter(charter_of(1)), Errc::format, "2 to 16");
  EXPECT_REFUSED(check_charter(charter_of(0)), Errc::format, "2 to 16");
  Charter seventeen = charter_of(16);
  seventeen.members.push_back(TestMember("quebec").in_group());
  EXPECT_REFUSED(check_charter(seventeen), Errc::format, "2 to 16");
  std::vector<std::string> nicks = nicks_of(charter_of(16));
  EXPECT_FALSE(read_founding(signed_charter(seventeen, nicks)).has_value());
}

TEST(Charter, FitsItsLimitsAtItsLargest) {
  Charter charter = charter_of(16);
  charter.questions.clear();
  for (const indicator::Type type : indicator::kAllTypes)
    for (const Function function : kAllFunctions) {
      AllowedQuestion question = charter_of(2).questions.front();
      question.type = type;
      question.function = function;
      for (const NamedCap& cap : kNamedCaps) question.caps.*cap.value = kLargestCap;
      charter.questions.push_back(question);
    }
  std::ranges::sort(charter.questions, {}, [](const AllowedQuestion& question) {
    return std::pair(indicator::name_of(question.type), name_of(question.function));
  });
  charter.purpose = std::string(kMaxPurposeBytes, 'x');
  EXPECT_HOLDS(read_founded(signed_charter(charter, nicks_of(charter))));
  EXPECT_LT(charter_text(charter).size(), kMaxCharterBytes);
}

TEST(Charter, IsRefusedWhenAMemberDidNotSign) {
  for (const std::size_t n : {std::size_t{2}, std::size_t{3}, std::size_t{16}}) {
    const Charter charter = charter_of(n);
    for (std::size_t absent = 0; absent < n; ++absent) {
      std::vector<std::string> nicks = nicks_of(charter);
      nicks.erase(nicks.begin() + static_cast<std::ptrdiff_t>(absent));
      const std::string note = signed_charter(charter, nicks);
      EXPECT_REFUSED(read_founded(note), Errc::signature, kNicks[absent] + " has not signed") << n;
      const auto partial = read_founding(note);
      ASSERT_HOLDS(partial);
      EXPECT_EQ(partial->unsigned_members(), std::vector{kNicks[absent]});
    }
  }
}

TEST(Charter, IsInForceForNoProperSubsetOfFiveSigners) {
  const Charter charter = charter_of(5);
  for (unsigned subset = 1; subset < 32; ++subset) {
    std::vector<std::string> nicks;
    for (unsigned i = 0; i < 5; ++i)
      if ((subset >> i & 1) != 0) nicks.push_back(kNicks[i]);
    EXPECT_EQ(read_founded(signed_charter(charter, nicks)).has_value(), subset == 31) << subset;
  }
}

TEST(Charter, IsRefusedWithAStrangersSignature) {
  const Charter charter = charter_of(2);
  EXPECT_REFUSED(read_founding(signed_charter(charter, {"alpha", "bravo", "charlie"})), Errc::signature, "charlie");
  EXPECT_REFUSED(read_founding(signed_charter(charter, {"charlie"})), Errc::signature, "no part");
}

TEST(Charter, IsRefusedWithOneSignatureTwice) {
  const Charter charter = charter_of(2);
  log::Note note = *log::parse_note(signed_charter(charter, {"alpha", "bravo"}));
  note.signatures.push_back(note.signatures.front());
  EXPECT_FALSE(read_founding(log::write_note(note)).has_value());
}

TEST(Charter, IsRefusedWithASignatureThatDoesNotVerify) {
  const Charter charter = charter_of(2);
  log::Note note = *log::parse_note(signed_charter(charter, {"alpha", "bravo"}));
  note.signatures[1].signature[7] ^= std::byte{1};
  EXPECT_REFUSED(read_founding(log::write_note(note)), Errc::signature, "");
}

TEST(Charter, IsNotSignedByAnOnlineKeyInThePlaceOfTheIdKey) {
  const Charter charter = charter_of(2);
  const TestMember& bravo = test_member("bravo");
  const std::string note =
      *log::add_signature(signed_charter(charter, {"alpha"}), charter.members[1].keys.node.name, bravo.node);
  EXPECT_REFUSED(read_founding(note), Errc::signature, "no part");
}

TEST(Charter, WithAnyBitFlippedIsRefused) {
  const Charter charter = charter_of(2);
  const std::string note = signed_charter(charter, nicks_of(charter));
  for (std::size_t bit = 0; bit < 8 * note.size(); bit += 5) {
    std::string altered = note;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(read_founded(altered).has_value()) << "bit " << bit;
  }
}

TEST(Charter, HasAHashThatSignaturesDoNotChange) {
  const Charter charter = charter_of(3);
  EXPECT_EQ(read_founding(signed_charter(charter, {"alpha"}))->hash,
            read_founding(signed_charter(charter, {"charlie", "bravo"}))->hash);
  Charter other = charter;
  other.questions.front().caps.items_per_session -= 256;
  EXPECT_NE(charter_hash(other), charter_hash(charter));
}

TEST(Charter, KeepsItsRules) {
  const Charter good = charter_of(4);
  ASSERT_HOLDS(check_charter(good));
  struct Case {
    const char* what;
    std::function<void(Charter&)> change;
    std::string_view says;
  };
  const Case cases[] = {
      {"id too short", [](Charter& c) { c.group.pop_back(); }, "32 hexadecimal"},
      {"id in upper case", [](Charter& c) { c.group[0] = 'A'; }, "32 hexadecimal"},
      {"no domain", [](Charter& c) { c.domain = ""; }, "domain"},
      {"domain with a slash", [](Charter& c) { c.domain = "a/b"; }, "domain"},
      {"domain with a plus", [](Charter& c) { c.domain = "a+b"; }, "domain"},
      {"domain too long", [](Charter& c) { c.domain = std::string(65, 'a'); }, "domain"},
      {"no name", [](Charter& c) { c.name = ""; }, "name"},
      {"a name that deceives",
       [](Charter& c) {
         c.name =
             "a\xe2\x80\xae"
             "b";
       },
       "name"},
      {"no purpose", [](Charter& c) { c.purpose = ""; }, "purpose"},
      {"a purpose too long", [](Charter& c) { c.purpose = std::string(1001, 'x'); }, "purpose"},
      {"a purpose with control characters", [](Charter& c) { c.purpose = "a\x1b[2J"; }, "purpose"},
      {"ends as it begins", [](Charter& c) { c.not_after = c.not_before; }, "end after it begins"},
      {"ends before it begins", [](Charter& c) { c.not_after = c.not_before - 1; }, "end after it begins"},
      {"longer than 400 days", [](Charter& c) { c.not_after = c.not_before + 400 * 86'400 + 1; }, "400 days"},
      {"91 days of grace", [](Charter& c) { c.grace_days = 91; }, "grace_days"},
      {"negative grace", [](Charter& c) { c.grace_days = -1; }, "grace_days"},
      {"negative skew", [](Charter& c) { c.clock_skew_seconds = -1; }, "clock_skew_s"},
      {"skew over an hour", [](Charter& c) { c.clock_skew_seconds = 3601; }, "clock_skew_s"},
      {"finding quorum of one", [](Charter& c) { c.finding_quorum = 1; }, "finding_quorum"},
      {"finding quorum of five of four", [](Charter& c) { c.finding_quorum = 5; }, "finding_quorum"},
      {"log quorum of two of four", [](Charter& c) { c.log_quorum = 2; }, "log_quorum"},
      {"log quorum of five of four", [](Charter& c) { c.log_quorum = 5; }, "log_quorum"},
      {"no version", [](Charter& c) { c.seq = 0; }, "version"},
      {"first version with a predecessor", [](Charter& c) { c.prev[0] = std::byte{1}; }, "prev"},
      {"no protocol", [](Charter& c) { c.protocols.clear(); }, "protocol"},
      {"unknown protocol", [](Charter& c) { c.protocols = {"plain"}; }, "protocol"},
      {"a protocol twice", [](Charter& c) { c.protocols = {"fast", "fast"}; }, "protocol"},
      {"protocols descending", [](Charter& c) { c.protocols = {"fast", "classic"}; }, "protocol"},
      {"no question", [](Charter& c) { c.questions.clear(); }, "question"},
      {"a question twice", [](Charter& c) { c.questions.insert(c.questions.begin(), c.questions.front()); },
       "once each"},
      {"questions out of order", [](Charter& c) { std::swap(c.questions[0], c.questions[1]); }, "ascending"},
      {"a cap too small", [](Charter& c) { c.questions[1].caps.items_per_session = 255; }, "max_items_per_session"},
      {"no sessions", [](Charter& c) { c.questions[1].caps.sessions_per_day = 0; }, "max_sessions_day"},
      {"a negative cap", [](Charter& c) { c.questions[1].caps.fields_per_item = -1; }, "max_fields_per_item"},
      {"a cap too large", [](Charter& c) { c.questions[1].caps.matches_revealed_30d = kLargestCap + 1; },
       "max_matches_revealed_30d"},
      {"all may enter less than one", [](Charter& c) { c.questions[1].caps.probe_items_group_30d = 49'999; },
       "max_probe_items_group_30d"},
      {"members out of order", [](Charter& c) { std::swap(c.members[0], c.members[1]); }, "ascending by nick"},
      {"a member twice", [](Charter& c) { c.members[1] = c.members[0]; }, "alpha"},
      {"keys of another group",
       [](Charter& c) { c.members[2] = test_members()[2].in_group("parley.example", std::string(32, '0')); },
       "names that belong to this group"},
      {"keys of another domain", [](Charter& c) { c.members[2] = test_members()[2].in_group("other.example"); },
       "names that belong to this group"},
      {"an id key of another nick", [](Charter& c) { c.members[2].id = test_members()[3].id(); },
       "does not bear its nick"},
      {"one id key for two", [](Charter& c) { c.members[2].id.key = c.members[1].id.key; }, "second time"},
      {"one TLS key for two", [](Charter& c) { c.members[2].tls_key = c.members[1].tls_key; }, "second time"},
      {"a node key that is an id key", [](Charter& c) { c.members[2].keys.node.key = c.members[1].id.key; },
       "second time"},
      {"a cosign key that is a TLS key", [](Charter& c) { c.members[2].keys.cosign.key = c.members[2].tls_key; },
       "second time"},
      {"a log key of the wrong type", [](Charter& c) { c.members[2].keys.log.type = log::KeyType::cosignature; },
       "another type"},
      {"a cosign key of the wrong type", [](Charter& c) { c.members[2].keys.cosign.type = log::KeyType::ed25519; },
       "another type"},
      {"a nick that is none", [](Charter& c) { c.members[2].keys.nick = "Charlie"; }, "no nick"},
  };
  for (const Case& test : cases) {
    Charter charter = good;
    test.change(charter);
    EXPECT_REFUSED(check_charter(charter), Errc::format, test.says) << test.what;
    EXPECT_FALSE(read_founding(signed_charter(charter, {"alpha"})).has_value()) << test.what;
  }
}

TEST(Charter, RefusesWeakKeys) {
  Charter charter = charter_of(3);
  charter.members[1].tls_key = {};
  charter.members[1].tls_key[0] = std::byte{1};  // the neutral element
  EXPECT_EQ(check_charter(charter).error().code, Errc::key_weak);
  charter = charter_of(3);
  charter.members[1].id.key = {};  // a point of order four
  EXPECT_EQ(check_charter(charter).error().code, Errc::key_weak);
}

TEST(Charter, TakesItsLimitsThemselves) {
  Charter charter = charter_of(4);
  charter.not_after = charter.not_before + kLongestWindowSeconds;
  charter.grace_days = 0;
  charter.clock_skew_seconds = 0;
  charter.finding_quorum = 4;
  charter.log_quorum = 4;
  EXPECT_HOLDS(check_charter(charter));
  charter.finding_quorum = 2;
  charter.log_quorum = 3;
  charter.grace_days = 90;
  charter.clock_skew_seconds = 3600;
  EXPECT_HOLDS(check_charter(charter));
}

TEST(Charter, IsReadInItsOneFormOnly) {
  const Charter good = charter_of(2);
  const std::pair<const char*, std::function<void(Json::Object&)>> cases[] = {
      {"an unknown member", [](Json::Object& o) { o.emplace("extra", 1); }},
      {"another version of the format", [](Json::Object& o) { o.insert_or_assign("v", 2); }},
      {"another spelling of a mark", [](Json::Object& o) { o.insert_or_assign("max_tlp", "TLP:AMBER+STRICT"); }},
      {"no mark", [](Json::Object& o) { o.insert_or_assign("max_tlp", "purple"); }},
      {"a predecessor in version 1", [](Json::Object& o) { o.insert_or_assign("prev", std::string(64, '0')); }},
      {"no predecessor in version 2", [](Json::Object& o) { o.insert_or_assign("seq", 2); }},
      {"a predecessor too short",
       [](Json::Object& o) {
         o.insert_or_assign("seq", 2);
         o.insert_or_assign("prev", std::string(62, 'a'));
       }},
      {"members as an object", [](Json::Object& o) { o.insert_or_assign("members", Json::Object{}); }},
      {"a number as text", [](Json::Object& o) { o.insert_or_assign("not_after", "1797000000"); }},
      {"a type that is unknown",
       [](Json::Object& o) {
         o.insert_or_assign("questions", Json::Array{Json::Object{{"fn", "count"}, {"type", "ipv5"}}});
       }},
      {"more members than sixteen",
       [](Json::Object& o) { o.insert_or_assign("members", Json::Array(17, (*o.at("members").array())[0])); }},
  };
  for (const auto& [what, change] : cases) EXPECT_FALSE(read_founding(with(good, change)).has_value()) << what;
  for (const auto& [key, value] : object_of(good))
    EXPECT_FALSE(read_founding(with(good, [&](Json::Object& object) { object.erase(key); })).has_value()) << key;
}

Charter with_admission(Charter charter) {
  charter.admission = {.epoch_days = 30, .types = {{indicator::Type::asn, 500}, {indicator::Type::ipv4, 100'000}}};
  return charter;
}

TEST(Charter, WithAdmissionIsWrittenAndReadAndFindsItsCaps) {
  const Charter charter = with_admission(charter_of(3));
  const auto read = read_founded(signed_charter(charter, nicks_of(charter)));
  ASSERT_HOLDS(read);
  EXPECT_EQ(read->charter, charter);
  EXPECT_EQ(read->charter.admission.cap(indicator::Type::ipv4)->most, 100'000);
  EXPECT_EQ(read->charter.admission.cap(indicator::Type::domain), nullptr);
}

// Hashes, signatures and sessions of charters of before there was admission hold on.
TEST(Charter, WithoutAdmissionIsWrittenAsItWasBefore) {
  const std::string text = charter_text(charter_of(2));
  EXPECT_FALSE(text.contains("admission"));
  EXPECT_TRUE(text.contains("\"v\":1}"));
  EXPECT_TRUE(charter_text(with_admission(charter_of(2))).contains("\"v\":2}"));
}

TEST(Charter, WithAdmissionIsReadInItsOneFormOnly) {
  const Charter good = with_admission(charter_of(2));
  const auto clause = [](Json::Object& o) -> Json::Object { return *o.at("admission").object(); };
  const auto type = [](const char* name, int most) {
    return Json(Json::Object{{"max_admissions", most}, {"type", name}});
  };
  const auto types_are = [&](Json::Array types) {
    return [clause, types](Json::Object& o) {
      Json::Object changed = clause(o);
      changed.insert_or_assign("types", types);
      o.insert_or_assign("admission", changed);
    };
  };
  const std::pair<const char*, std::function<void(Json::Object&)>> cases[] = {
      {"the format of before", [](Json::Object& o) { o.insert_or_assign("v", 1); }},
      {"no types", types_are({})},
      {"types that do not ascend", types_are({type("ipv4", 5), type("asn", 5)})},
      {"a type twice", types_are({type("ipv4", 5), type("ipv4", 5)})},
      {"a type that is unknown", types_are({type("ipv5", 5)})},
      {"none of a type", types_are({type("ipv4", 0)})},
      {"no type", types_are({Json(Json::Object{{"max_admissions", 5}})})},
      {"epochs without an end",
       [&](Json::Object& o) {
         Json::Object changed = clause(o);
         changed.insert_or_assign("epoch_days", 401);
         o.insert_or_assign("admission", changed);
       }},
      {"epochs of no time",
       [&](Json::Object& o) {
         Json::Object changed = clause(o);
         changed.insert_or_assign("epoch_days", 0);
         o.insert_or_assign("admission", changed);
       }},
  };
  for (const auto& [what, change] : cases) EXPECT_FALSE(read_founding(with(good, change)).has_value()) << what;
}

TEST(Charter, IsRefusedUnderAnotherKind) {
  const Charter charter = charter_of(2);
  std::string text = charter_text(charter);
  text.replace(0, kCharterKind.size(), "parley/charter/v2");
  EXPECT_FALSE(read_founding(signed_note(text, {"alpha", "bravo"})).has_value());
}

TEST(Charter, FindsItsMembersAndQuestions) {
  const Charter charter = charter_of(3);
  EXPECT_EQ(charter.member("bravo"), &charter.members[1]);
  EXPECT_EQ(charter.member("delta"), nullptr);
  EXPECT_EQ(charter.member_by_id(test_member("charlie").id()), &charter.members[2]);
  EXPECT_EQ(charter.member_by_id(test_member("delta").id()), nullptr);
  EXPECT_NE(charter.question(indicator::Type::ipv4, Function::count), nullptr);
  EXPECT_EQ(charter.question(indicator::Type::ipv4, Function::intersection), nullptr);
  EXPECT_EQ(charter.question(indicator::Type::md5, Function::count), nullptr);
}

TEST(NicksInWords, ReadAsASentenceDoes) {
  const std::vector<std::string> nicks = {"alpha", "bravo", "charlie"};
  EXPECT_EQ(in_words(std::span(nicks).first(0)), "");
  EXPECT_EQ(in_words(std::span(nicks).first(1)), "alpha");
  EXPECT_EQ(in_words(std::span(nicks).first(2)), "alpha and bravo");
  EXPECT_EQ(in_words(nicks), "alpha, bravo and charlie");
}

}  // namespace
}  // namespace parley::group
