// What a signer could have signed and no honest program writes: both verifiers refuse it, and for its form. And
// amendments, of which both count the signatures.
#include "dossier/forged.h"

#include "dossier/second_verifier.h"

namespace parley::dossier {
namespace {

struct Forged {
  std::string what;
  std::string step;  ///< at which the first verifier refuses it; empty: both take it
  Forgery forgery;
};

class ForgedDossier : public SecondVerifier {
 protected:
  /// Both verifiers' verdicts are those of the rows. The second one is asked once for all.
  void expect_alike(std::vector<Forged> rows) {
    std::vector<std::string> files;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string text = rows[i].forgery.build();
      const Verdict verdict = verify_dossier(text, {});
      const Step& last = verdict.steps.back();
      EXPECT_EQ(verdict.holds ? "" : last.title, rows[i].step) << rows[i].what << ": " << last.detail;
      files.push_back(file(fmt::format("{}.parley", i), text));
    }
    const std::vector<std::string> lines = run_all(files);
    ASSERT_EQ(lines.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(outcome(lines[i]), rows[i].step.empty() ? "unanchored" : "refused") << rows[i].what << ": " << lines[i];
      // What it refuses for its form it does not need the bundle for.
      EXPECT_EQ(lines[i].find("STIX"), std::string::npos) << rows[i].what << ": " << lines[i];
      EXPECT_EQ(lines[i].find("malformed"), std::string::npos) << rows[i].what << ": " << lines[i];
    }
  }
};

Forged one(std::string what, std::string step, std::string part, std::string pointer, std::optional<Json> value) {
  return {std::move(what), std::move(step), Forgery({{std::move(part), std::move(pointer), std::move(value)}})};
}

struct Part {
  std::string name, step;
  Json genuine;
};

/// As they are before anything is forged.
std::vector<Part> parts() {
  const std::string text = Forgery({}, {}, {}).build();
  const Dossier dossier = *parse_dossier(text);
  const auto body_of = [&](std::string_view nick, std::string_view type) {
    for (const ShownEntry& entry : dossier.entries)
      if (entry.nick == nick && log::read_entry_unverified(entry.note)->type == type)
        return *log::parse_pjson(entry.body->text, log::kMaxBodyBytes);
    return Json(false);
  };
  const Json withdrawal = body_of("charlie", log::kFindingWithdraw);
  return {{"dossier", "form", object_of("\n" + text)},
          {"charter", "charter", object_of(dossier.charters[0])},
          {"card", "members", object_of(dossier.cards[0])},
          {"finding", "signatures", object_of(dossier.finding)},
          {"alpha's entry", "entries", object_of(dossier.entries[0].note)},
          {"alpha's publication", "publication", body_of("alpha", log::kFindingPublish)},
          {"withdrawal's body", "publication", withdrawal},
          {"withdrawal", "publication", object_of(*withdrawal.object()->at("note").text())},
          {"dissent", "publication", object_of(dossier.dissents[0])}};
}

/// Each object in it with a field more, and each field left out or a truth value, which nothing in a dossier is. Of
/// lists the first element stands for all.
void add_shapes(std::vector<Forged>& rows, const Part& part, const Json& json, const std::string& pointer) {
  if (const auto* list = json.array(); list != nullptr && !list->empty())
    add_shapes(rows, part, list->front(), pointer + "/0");
  if (json.object() == nullptr) return;
  rows.push_back(one(part.name + pointer + " with an unknown field", part.step, part.name, pointer + "/zzz", Json("")));
  for (const auto& [name, member] : *json.object()) {
    const std::string at = pointer + "/" + name;
    rows.push_back(one(part.name + at + " left out", part.step, part.name, at, std::nullopt));
    rows.push_back(one(part.name + at + " of another type", part.step, part.name, at, Json(true)));
    add_shapes(rows, part, member, at);
  }
}

std::string of_length(std::size_t bytes) {
  return std::string(bytes, 'x');
}

TEST_F(ForgedDossier, IsTakenByBothUpToEachLimit) {
  const Json nobody = Json::Array{};
  expect_alike(
      {{"as it should be", "", Forgery()},
       one("a title of its full length", "", "finding", "/title", Json(of_length(200))),
       one("a summary of its full length", "", "finding", "/evidence/2/summary", Json(of_length(4000))),
       one("a last time", "", "withdrawal", "/time", Json(kLatestTime)),
       one("a reason of its full length", "", "withdrawal", "/reason", Json(of_length(4000))),
       one("a dissent of its full length", "", "dissent", "/points/0/text", Json(of_length(4000))),
       one("a card with addresses", "", "card", "/endpoint",
           Json::Array{Json("alpha.example:7443"), Json("[2001:db8::1]:00443"), Json("x:0")}),
       one("a purpose of its full length", "", "charter", "/purpose", Json(of_length(1000))),
       one("400 days", "", "charter", "/not_after", Json(group::kBegin + group::kLongestWindowSeconds)),
       one("the largest cap", "", "charter", "/questions/0/max_probe_items_group_30d", Json(group::kLargestCap)),
       one("evidence as late as clocks may differ", "", "alpha's entry", "/time", Json(group::kBegin + 100'600)),
       one("a charter that is not here", "", "alpha's entry", "/charter", Json(std::string(64, 'a'))),
       one("an entry for some", "", "alpha's entry", "/aud", Json::Array{Json("bravo"), Json("x-9")}),
       one("an entry for nobody", "", "alpha's entry", "/aud", nobody),
       {"a step of a session", "",
        Forgery({{"alpha's entry", "/session", Json(std::string(32, 'a'))},
                 {"alpha's entry", "/type", Json("session.run")}})},
       {"a fault in a session", "",
        Forgery(
            {{"alpha's entry", "/session", Json(std::string(32, 'a'))}, {"alpha's entry", "/type", Json("fault")}})},
       one("a fault in none", "", "alpha's entry", "/type", Json("fault")),
       one("a text that says of itself that it is withheld", "", "finding", "/evidence/2/summary",
           Json("[withheld]\nThe summary is withheld.")),
       one("a reason of lines", "", "withdrawal", "/reason", Json("a\nb\n\nc\n")),
       one("a dissent of lines", "", "dissent", "/points/1/text", Json("\n\n> ")),
       one("a question of lines", "", "finding", "/question", Json("Who?\nConfidence: high.\n\nWhen?")),
       one("a hypothesis of lines", "", "finding", "/hypotheses/0/text", Json("They\nLikelihood: certain.")),
       one("an actor of lines", "", "finding", "/equivalences/0/other", Json("X\nY")),
       one("a judgement of lines", "", "finding", "/judgement/text", Json("It is likely.\nLikelihood: certain."))});
}

TEST_F(ForgedDossier, IsRefusedByBothWithAFieldMoreOrLessOrOfAnotherType) {
  std::vector<Forged> rows;
  for (const Part& part : parts()) add_shapes(rows, part, part.genuine, "");
  EXPECT_GT(rows.size(), 300u);
  expect_alike(std::move(rows));
}

TEST_F(ForgedDossier, IsRefusedByBothForWhatItsFindingSays) {
  const std::string zeros(64, '0'), upper(64, 'A');
  std::vector<Forged> rows;
  const auto add = [&](std::string pointer, Json value, std::string step = "signatures") {
    rows.push_back(one("finding" + pointer, std::move(step), "finding", pointer, std::move(value)));
  };
  for (const char* name : {"/question", "/judgement/text", "/judgement/despite", "/confidence/why",
                           "/hypotheses/0/text", "/evidence/1/summary", "/origins/1/text"})
    add(name, of_length(4001));
  for (const char* name : {"/title", "/hypotheses/0/actor", "/equivalences/0/name", "/equivalences/0/other"})
    add(name, of_length(201));
  for (const char* name :
       {"/hypotheses/0/id", "/origins/0/id", "/evidence/0/id", "/matrix/0/e", "/matrix/0/cells/0/h",
        "/key_assumptions/0/id", "/judgement/hypothesis", "/evidence/0/seen/0/origin", "/equivalences/0/origin"})
    add(name, of_length(9));
  for (const char* name :
       {"/hypotheses/0/kind", "/origins/0/kind", "/evidence/0/kind", "/matrix/0/cells/0/v", "/judgement/likelihood",
        "/confidence/level", "/marks/tlp", "/marks/pap", "/evidence/0/grade/source"})
    add(name, "rumour");
  for (const char* name : {"/basis/charter", "/basis/cut/0/root", "/evidence/0/commit", "/evidence/0/refs/0",
                           "/evidence/0/summary/sd", "/evidence/0/seen/0/rule", "/supersedes"})
    for (const std::string& hash : {upper, of_length(64), std::string(62, 'a')}) add(name, hash);
  for (const char* name : {"/evidence/0/commit", "/evidence/0/seen/0/rule", "/supersedes"}) add(name, zeros);
  add("/judgement/likelihood", "very likely");
  add("/marks/tlp", "GREEN");
  add("/evidence/0/grade/info", 7);
  add("/evidence/0/grade/info", -1);
  add("/evidence/0/grade/source", "G");
  for (const char* name : {"/created", "/period/0", "/period/1", "/evidence/0/seen/0/first_seen"}) {
    add(name, -1);
    add(name, kLatestTime + 1);
  }
  add("/seq", 0);
  add("/seq", 1001);
  add("/v", 2);
  add("/period", Json::Array{Json(1)});
  add("/period", Json::Array{Json(1), Json(2), Json(3)});
  add("/evidence/0/refs", Json::Array(65, Json(std::string(64, 'a'))));
  add("/key_assumptions", Json::Array(65, Json::Object{{"id", "k1"}, {"text", "x"}}));
  add("/hypotheses", Json::Array(17, Json::Object{{"actor", ""}, {"id", "h1"}, {"kind", "other"}, {"text", "x"}}));
  add("/origins", Json::Array(257, Json::Object{{"id", "o1"}, {"kind", "human"}, {"text", "x"}}));
  add("/matrix", Json::Array(257, Json::Object{{"cells", Json::Array{}}, {"e", "e1"}}));
  add("/evidence/1/summary", Json::Object{{"keep", "x"}});
  add("/group", "7d1f3c90000000000000000000000002", "rules");
  expect_alike(std::move(rows));
}

TEST_F(ForgedDossier, IsRefusedByBothForTheTermsOfItsCharter) {
  std::vector<Forged> rows;
  const auto add = [&](std::string pointer, Json value) {
    rows.push_back(one("charter" + pointer, "charter", "charter", pointer, std::move(value)));
  };
  for (const auto& [name, least, most] : std::initializer_list<std::tuple<const char*, std::int64_t, std::int64_t>>{
           {"/clock_skew_s", 0, 3600},
           {"/finding_quorum", 2, 4},
           {"/grace_days", 0, 90},
           {"/log_quorum", 3, 4},
           {"/seq", 1, 1},
           {"/v", 1, 1},
           {"/not_after", group::kBegin + 1, group::kBegin + group::kLongestWindowSeconds},
           {"/questions/0/max_items_per_session", 256, group::kLargestCap},
           {"/questions/0/max_sessions_day", 1, group::kLargestCap},
           {"/questions/0/max_probe_items_30d", 256, 150'000},
           {"/questions/0/max_probe_items_group_30d", 50'000, group::kLargestCap},
           {"/questions/0/max_matches_revealed_30d", 0, group::kLargestCap},
           {"/questions/0/max_fields_per_item", 0, group::kLargestCap}}) {
    add(name, least - 1);
    add(name, most + 1);
  }
  add("/not_before", -1);
  rows.push_back(
      {"a charter of the year 10000", "charter",
       Forgery({{"charter", "/not_before", Json(kLatestTime)}, {"charter", "/not_after", Json(kLatestTime + 1)}})});
  for (const char* text : {"", "Operation \u202e", " Stadium", "Stadium "}) add("/name", text);
  add("/name", of_length(65));
  for (const char* text : {"", "two\nlines", "\u200b", "a\U000e0100", "\u2800", "a\u180b", "\U0001d173"})
    add("/purpose", text);
  add("/purpose", of_length(1001));
  add("/dom", "Parley.example");
  add("/dom", "other.example");
  add("/dom", of_length(65));
  add("/group", "7D1F3C90000000000000000000000001");
  add("/group", "7d1f3c90");
  add("/max_tlp", "TLP:RED");
  add("/max_tlp", "purple");
  add("/prev", std::string(64, '0'));
  add("/protocols", Json::Array{});
  add("/protocols", Json::Array{Json("fast"), Json("classic")});
  add("/protocols", Json::Array{Json("fast"), Json("fast")});
  add("/protocols/0", "slow");
  add("/questions", Json::Array{});
  add("/questions/0/fn", "union");
  add("/questions/0/type", "telephone");
  add("/questions/0/type", "url");
  add("/questions/1/type", "domain");
  add("/members", Json::Array{});
  add("/members/0/nick", "Alpha");
  add("/members/0/nick", "aleph");
  add("/members/0/card", of_length(64));
  add("/members/0/tls", "");
  const std::vector<std::string> roles = {"cosign", "id", "log", "node"};
  const auto genuine = object_of(group::charter_text(group::charter_of(4)));
  const auto& members = *genuine.object()->at("members").array();
  for (const std::string& role : roles) {
    add("/members/0/" + role, members[1].object()->at(role));
    add("/members/0/" + role, members[0].object()->at(role == "id" ? "log" : "id"));
    add("/members/0/" + role, *members[0].object()->at(role).text() + "=");
  }
  add("/members/0/tls", members[1].object()->at("tls"));
  add("/members/0/tls", to_base64(ByteArray<32>{}));
  add("/admission", Json::Object{{"epoch_days", 90}, {"types", Json::Array{}}});
  const auto with_admission = [&](const char* what, std::int64_t days, Json types) {
    rows.push_back(
        {what, "charter",
         Forgery({{"charter", "/v", Json(2)},
                  {"charter", "/admission", Json::Object{{"epoch_days", days}, {"types", std::move(types)}}}})});
  };
  const auto cap = [](const char* type, std::int64_t most) {
    return Json(Json::Object{{"max_admissions", most}, {"type", type}});
  };
  with_admission("no type", 90, Json::Array{});
  with_admission("no days", 0, Json::Array{cap("ipv4", 1)});
  with_admission("too many days", 401, Json::Array{cap("ipv4", 1)});
  with_admission("no admissions", 90, Json::Array{cap("ipv4", 0)});
  with_admission("too many admissions", 90, Json::Array{cap("ipv4", group::kLargestCap + 1)});
  with_admission("an unknown type", 90, Json::Array{cap("telephone", 1)});
  with_admission("types that descend", 90, Json::Array{cap("ipv6", 1), cap("ipv4", 1)});
  rows.push_back(
      {"a last clause", "",
       Forgery({{"charter", "/v", Json(2)},
                {"charter", "/admission",
                 Json::Object{{"epoch_days", 400}, {"types", Json::Array{cap("ipv4", group::kLargestCap)}}}}})});
  expect_alike(std::move(rows));
}

TEST_F(ForgedDossier, IsRefusedByBothForWhatElseItsPartsSay) {
  std::vector<Forged> rows;
  const auto add = [&](std::string step, std::string part, std::string pointer, Json value) {
    rows.push_back(one(part + pointer, std::move(step), part, pointer, std::move(value)));
  };
  add("entries", "alpha's entry", "/type", "gossip");
  add("entries", "alpha's entry", "/type", "log.open");
  add("entries", "alpha's entry", "/type", "session.run");
  add("entries", "alpha's entry", "/session", std::string(32, 'a'));
  add("entries", "alpha's entry", "/session", "now");
  add("entries", "alpha's entry", "/author", "bravo");
  add("entries", "alpha's entry", "/author", "Alpha");
  add("entries", "alpha's entry", "/seq", 2);
  add("entries", "alpha's entry", "/seq", log::kMaxInteger);
  add("entries", "alpha's entry", "/time", -1);
  add("entries", "alpha's entry", "/time", group::kBegin - 601);
  add("entries", "alpha's entry", "/time", group::kEnd + 30 * group::kSecondsPerDay + 601);
  add("entries", "alpha's entry", "/time", group::kBegin + 100'601);
  add("entries", "finding", "/created", group::kBegin - 500);
  add("entries", "alpha's entry", "/v", 2);
  add("entries", "alpha's entry", "/body", of_length(64));
  add("entries", "alpha's entry", "/refs", Json::Array(2, Json(std::string(64, 'a'))));
  add("entries", "alpha's entry", "/aud", Json::Array{Json("alpha")});
  add("entries", "alpha's entry", "/aud", Json::Array{Json("*"), Json("bravo")});
  add("entries", "alpha's entry", "/aud", Json::Array{Json("charlie"), Json("bravo")});
  add("entries", "alpha's entry", "/aud", Json::Array{Json("bravo"), Json("bravo")});
  add("entries", "alpha's entry", "/aud", Json::Array{Json("Bravo")});
  Json::Array sixteen;
  for (char c = 'k'; sixteen.size() < 16; ++c) sixteen.emplace_back(std::string(1, c));
  add("entries", "alpha's entry", "/aud", sixteen);
  add("members", "card", "/name", "");
  add("members", "card", "/name", "Alpha \u202e");
  add("members", "card", "/name", "Alpha\ufe0f");
  add("members", "card", "/name", "Alpha\U000e0fff");
  add("members", "card", "/name", of_length(65));
  add("members", "card", "/contact", "\u200b");
  add("members", "card", "/contact", of_length(257));
  add("members", "card", "/nick", "Alpha");
  add("members", "card", "/nick", "bravo");
  add("members", "card", "/created", -1);
  add("members", "card", "/created", kLatestTime + 1);
  add("members", "card", "/v", 2);
  for (const char* address :
       {"", "alpha.example", "alpha.example:", ":7443", "alpha.example:65536", "alpha.example:-1", "2001:db8::1:7443",
        "[]:1", "al/pha:1", "al pha:1", "alpha.example:7443 ", "\u0430:1", "alpha.example:\u0667"})
    add("members", "card", "/endpoint", Json::Array{Json(address)});
  add("members", "card", "/endpoint", Json::Array(9, Json("x:1")));
  const group::TestMember &alpha = group::test_member("alpha"), &bravo = group::test_member("bravo");
  const auto card_of = [](const group::TestMember& member) { return object_of(member.card_note()); };
  for (const char* role : {"cosign", "log", "node"})
    add("members", "card", std::string("/") + role, card_of(bravo).object()->at(role));
  add("members", "card", "/tls", to_base64(crypto::public_key_of(alpha.card_seeds.node)));
  add("members", "card", "/tls", to_base64(ByteArray<32>{}));
  rows.push_back({"a card that is no note", "members", Forgery().with_card_as_line()});
  add("publication", "alpha's publication", "/hash", std::string(64, 'a'));
  add("publication", "alpha's publication", "/signers", Json::Array{Json("bravo"), Json("alpha")});
  add("publication", "alpha's publication", "/signers", Json::Array{Json("alpha"), Json("delta")});
  add("publication", "alpha's publication", "/signers", Json::Array{Json("alpha"), Json("alpha")});
  add("publication", "alpha's publication", "/dissents", Json::Array{Json(std::string(64, 'a'))});
  add("publication", "alpha's publication", "/withdrawals", Json::Array{Json(std::string(64, 'a'))});
  add("publication", "alpha's publication", "/v", 2);
  for (const char* part : {"dissent", "withdrawal"}) {
    add("publication", part, "/finding", std::string(64, 'a'));
    add("publication", part, "/group", "7d1f3c90000000000000000000000002");
    add("publication", part, "/group", of_length(33));
    add("publication", part, "/nick", "alpha");
    add("publication", part, "/nick", "nobody");
    add("publication", part, "/time", -1);
    add("publication", part, "/time", kLatestTime + 1);
    add("publication", part, "/v", 2);
  }
  add("publication", "withdrawal", "/reason", "");
  add("publication", "withdrawal", "/reason", of_length(4001));
  // Whatever a reader's program may take for the end of a line, and what cannot be seen.
  for (const char* hidden : {"\v", "\f", "\r", "\u0085", "\u2028", "\u2029", "\u202e", "\u2800", "\x1b", "\ufe0f"}) {
    add("publication", "withdrawal", "/reason", fmt::format("a{}b", hidden));
    add("publication", "dissent", "/points/1/text", fmt::format("a{}b", hidden));
  }
  add("publication", "withdrawal's body", "/hash", std::string(64, 'a'));
  add("publication", "dissent", "/points", Json::Array{});
  add("publication", "dissent", "/points/0/about", "");
  add("publication", "dissent", "/points/0/about", "e9");
  add("publication", "dissent", "/points/0/text", "");
  add("publication", "dissent", "/points/0/text", of_length(4001));
  add("publication", "dissent", "/points/0/likelihood", "maybe");
  add("publication", "dissent", "/points/1/likelihood", "likely");
  add("publication", "dissent", "/points",
      Json::Array(33, Json::Object{{"about", "e1"}, {"likelihood", ""}, {"text", "x"}}));
  expect_alike(std::move(rows));
}

TEST_F(ForgedDossier, CannotMakeTheSecondVerifierPrintLinesOfItsOwn) {
  Forgery forgery({{"withdrawal", "/reason", Json("x\n/tmp/other.parley: verified")}});
  const std::string text = forgery.build();
  ASSERT_TRUE(verify_dossier(text, {}).holds);
  const auto lines = run(file("d.parley", text));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("d.parley: unanchored: "), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("x\\u{a}/tmp/other.parley: verified\n"), std::string::npos) << lines[0];
}

TEST_F(ForgedDossier, IsToldByTheSecondVerifierWhateverItsTerminalCanShow) {
  Forgery forgery({{"withdrawal", "/reason", Json("\u0434\u0430")}});
  const std::string path = file("d\n.parley", forgery.build());
  const auto lines =
      run_python(fmt::format("{}/tools/verify_dossier.py '{}'", PARLEY_SOURCE, path), "PYTHONIOENCODING=ascii");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("d\\u{a}.parley: unanchored: "), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("withdrew its signature: \\u0434\\u0430"), std::string::npos) << lines[0];
}

Json member_json(std::string_view nick, std::size_t members = 6) {
  const Json charter = object_of(group::charter_text(group::charter_of(members)));
  for (const Json& member : *charter.object()->at("members").array())
    if (*member.object()->at("nick").text() == nick) return member;
  return Json(false);
}

TEST_F(ForgedDossier, IsTakenByBothWithAmendmentsThatAreSignedByThoseWhomTheyNeed) {
  using Nicks = std::vector<std::string>;
  const Nicks all = {"alpha", "bravo", "charlie", "delta"}, three = {"alpha", "bravo", "charlie"},
              others = {"alpha", "bravo", "delta"}, two = {"alpha", "bravo"};
  std::vector<Forged> rows;
  const auto add = [&](std::string what, std::vector<std::pair<std::string, std::optional<Json>>> changes,
                       const Nicks& signers, bool holds, Nicks left = {}) {
    std::vector<Edit> edits;
    for (auto& [pointer, value] : changes) edits.push_back({"amendment", pointer, value});
    rows.push_back({fmt::format("{}, signed by {}", what, fmt::join(signers, ", ")), holds ? "" : "charter",
                    Forgery(std::move(edits), signers, std::move(left))});
  };
  const std::string cap = "/questions/0/max_sessions_day";
  add("nothing", {}, all, false);
  for (const auto& [pointer, value] :
       std::initializer_list<std::pair<const char*, std::optional<Json>>>{{"/questions/0/max_sessions_day", Json(3)},
                                                                          {"/questions/3", std::nullopt},
                                                                          {"/protocols/0", std::nullopt},
                                                                          {"/not_before", Json(group::kBegin + 1)},
                                                                          {"/not_after", Json(group::kEnd - 1)},
                                                                          {"/max_tlp", Json("clear")},
                                                                          {"/log_quorum", Json(4)}}) {
    add(fmt::format("tightening {}", pointer), {{pointer, value}}, three, true);
    add(fmt::format("tightening {}", pointer), {{pointer, value}}, others, true);
    add(fmt::format("tightening {}", pointer), {{pointer, value}}, two, false);
  }
  Json::Object question =
      *object_of(group::charter_text(group::charter_of(4))).object()->at("questions").array()->at(1).object();
  question.insert_or_assign("fn", Json("intersection"));
  Json::Array questions = *object_of(group::charter_text(group::charter_of(4))).object()->at("questions").array();
  questions.insert(questions.begin() + 2, question);
  for (const auto& [pointer, value] :
       std::initializer_list<std::pair<const char*, Json>>{{"/questions/0/max_sessions_day", Json(5)},
                                                           {"/questions", Json(questions)},
                                                           {"/not_before", Json(group::kBegin - 1)},
                                                           {"/not_after", Json(group::kEnd + 1)},
                                                           {"/max_tlp", Json("red")},
                                                           {"/name", Json("Operation Arena")},
                                                           {"/purpose", Json("Everything")},
                                                           {"/grace_days", Json(29)},
                                                           {"/clock_skew_s", Json(601)},
                                                           {"/members/3/card", Json(std::string(64, 'a'))},
                                                           {"/finding_quorum", Json(2)}}) {
    add(fmt::format("loosening {}", pointer), {{pointer, value}}, all, true);
    add(fmt::format("loosening {}", pointer), {{pointer, value}}, three, false);
    add(fmt::format("loosening {} and tightening", pointer),
        {{pointer, value}, {"/questions/1/max_sessions_day", Json(3)}}, three, false);
  }
  add("admission",
      {{"/v", Json(2)},
       {"/admission", Json::Object{{"epoch_days", 90},
                                   {"types", Json::Array{Json::Object{{"max_admissions", 9}, {"type", "ipv4"}}}}}}},
      all, true);
  add("admission",
      {{"/v", Json(2)},
       {"/admission", Json::Object{{"epoch_days", 90},
                                   {"types", Json::Array{Json::Object{{"max_admissions", 9}, {"type", "ipv4"}}}}}}},
      three, false);
  add("a version too many", {{cap, Json(3)}, {"/seq", Json(3)}}, all, false);
  add("a version again", {{cap, Json(3)}, {"/seq", Json(1)}}, all, false);
  add("after another one", {{cap, Json(3)}, {"/prev", Json(std::string(64, 'a'))}}, all, false);
  add("after none", {{cap, Json(3)}, {"/prev", Json("")}}, all, false);
  add("of another group", {{"/group", Json("7d1f3c90000000000000000000000002")}}, all, false);
  add("a stranger's signature", {{cap, Json(3)}}, {"alpha", "bravo", "charlie", "echo"}, false);

  // A nick is one member's for good, whoever signs that it is another's.
  const Json delta_now = member_json("delta", 4);
  for (const std::string role : {"cosign", "log", "node"}) {
    log::VerifierKey key = *log::parse_vkey(*delta_now.object()->at(role).text());
    key.key = crypto::public_key_of(random_secret<32>());
    add(fmt::format("delta has another {} key", role), {{"/members/3/" + role, Json(key.text())}}, all, false);
  }

  add("delta expelled", {{"/members/3", std::nullopt}}, three, true);
  add("delta expelled, who agrees", {{"/members/3", std::nullopt}}, all, true);
  add("delta expelled", {{"/members/3", std::nullopt}}, two, false);
  add("delta expelled", {{"/members/3", std::nullopt}}, others, false);
  add("delta expelled and a cap lowered", {{"/members/3", std::nullopt}, {cap, Json(3)}}, three, false);
  add("delta expelled and a quorum lowered", {{"/members/3", std::nullopt}, {"/finding_quorum", Json(2)}}, three,
      false);
  add("two expelled",
      {{"/members/3", std::nullopt},
       {"/members/2", std::nullopt},
       {"/log_quorum", Json(2)},
       {"/finding_quorum", Json(2)}},
      two, false);
  add("delta expelled for echo", {{"/members/3", member_json("echo")}}, {"alpha", "bravo", "charlie", "echo"}, false);
  const std::vector<std::pair<std::string, std::optional<Json>>> echo_in = {{"/members/-", member_json("echo")},
                                                                            {"/log_quorum", Json(4)}};
  add("echo comes in", echo_in, {"alpha", "bravo", "charlie", "delta", "echo"}, true);
  add("echo comes in", echo_in, all, false);
  add("echo comes in", echo_in, {"alpha", "bravo", "charlie", "echo"}, false);

  add("strangers come in when all have left", echo_in, {"echo"}, false, all);
  add("strangers come in when all but alpha have left", echo_in, {"echo"}, false, {"bravo", "charlie", "delta"});
  add("the one who has not left takes strangers in", echo_in, {"alpha", "echo"}, false, {"bravo", "charlie", "delta"});
  add("two take echo in, and one of them leaves", echo_in, {"alpha", "delta", "echo"}, true,
      {"bravo", "charlie", "delta"});
  add("four take echo in, and all leave", echo_in, {"alpha", "bravo", "charlie", "delta", "echo"}, true, all);

  const Nicks delta = {"delta"};
  add("delta left and is taken off", {{"/members/3", std::nullopt}}, three, true, delta);
  add("delta left and is taken off", {{"/members/3", std::nullopt}}, two, false, delta);
  add("delta left and is taken off, and a cap raised", {{"/members/3", std::nullopt}, {cap, Json(5)}}, three, true,
      delta);
  add("delta left, and a cap raised", {{cap, Json(5)}}, three, true, delta);
  add("delta left, and a cap raised", {{cap, Json(5)}}, others, false, delta);
  add("delta left and comes back with another card", {{"/members/3/card", Json(std::string(64, 'a'))}}, three, false,
      delta);
  add("delta has another card, and left", {{"/members/3/card", Json(std::string(64, 'a'))}}, all, true, delta);
  add("delta left, and is replaced by echo", {{"/members/3", member_json("echo")}}, {"alpha", "bravo", "delta", "echo"},
      false, delta);
  add("a cap lowered, and delta left", {{cap, Json(3)}}, others, true, delta);
  add("a cap lowered, and delta left", {{cap, Json(3)}}, {"alpha", "delta"}, false, delta);
  add("delta left and is taken off, and a cap lowered", {{"/members/3", std::nullopt}, {cap, Json(3)}}, all, true,
      delta);
  add("delta left and is taken off, and a cap lowered", {{"/members/3", std::nullopt}, {cap, Json(3)}}, others, false,
      delta);
  add("delta and charlie left, and a cap lowered", {{cap, Json(3)}}, two, true, {"charlie", "delta"});
  add("delta and charlie left, and a cap lowered", {{cap, Json(3)}}, {"alpha", "delta"}, false, {"charlie", "delta"});
  expect_alike(std::move(rows));
}

// A card bears the name by which its member is shown, and a member may change it with an amendment.
TEST_F(ForgedDossier, IsRefusedByBothWithACardOfAnotherVersionOfTheCharterThanItsFinding) {
  const std::vector<std::string> all = {"alpha", "bravo", "charlie", "delta"};
  const Dossier genuine = *parse_dossier(Forgery().build());
  const std::string first_version = to_hex(group::charter_hash(log::parse_note(genuine.charters[0])->text));
  const std::string first_card = to_hex(crypto::sha256(as_bytes(genuine.cards[0])));
  const Edit renamed{"card", "/name", Json("Bravo CERT")};
  const Json renamed_card = edited(object_of(genuine.cards[0]), renamed.pointer, renamed.value);
  const std::string second_card =
      to_hex(crypto::sha256(as_bytes(group::signed_note(text_of("parley/card/v1", renamed_card), {"alpha"}))));
  const auto versions_name = [](const std::string& first, const std::string& second) {
    return std::vector<Edit>{{"charter", "/members/0/card", Json(first)},
                             {"amendment", "/members/0/card", Json(second)}};
  };
  const auto with = [](std::vector<Edit> edits, const Edit& more) {
    edits.push_back(more);
    return edits;
  };
  const std::vector<Edit> changed = versions_name(first_card, second_card);
  const Edit by_the_first{"finding", "/basis/charter", Json(first_version)};
  std::vector<Forged> rows;
  rows.push_back({"the first card, by the first version", "", Forgery(with(changed, by_the_first), all)});
  rows.push_back({"the second card, by the second version", "", Forgery(with(changed, renamed), all)});
  rows.push_back({"the first card, by the second version", "members", Forgery(changed, all)});
  rows.push_back(
      {"the second card, by the first version", "members", Forgery(with(with(changed, renamed), by_the_first), all)});
  rows.push_back({"a card that neither version names", "members",
                  Forgery(with(versions_name(first_card, std::string(64, 'a')), renamed), all)});
  expect_alike(std::move(rows));
}

TEST_F(ForgedDossier, IsRefusedByBothWithALeaveThatIsNone) {
  std::vector<Forged> rows;
  for (const auto& [pointer, value] : std::initializer_list<std::pair<const char*, std::optional<Json>>>{
           {"/zzz", Json("")},
           {"/reason", std::nullopt},
           {"/reason", Json(7)},
           {"/reason", Json(of_length(501))},
           {"/reason", Json("\u202e")},
           {"/reason", Json("a\ufe0e")},
           {"/charter", Json(std::string(64, 'a'))},
           {"/group", Json("7d1f3c90000000000000000000000002")},
           {"/nick", Json("alpha")},
           {"/nick", Json("echo")},
           {"/time", Json(-1)},
           {"/time", Json(kLatestTime + 1)},
           {"/v", Json(2)}})
    rows.push_back({fmt::format("leave{}", pointer), "charter", Forgery({{"leave", pointer, value}}, {}, {"delta"})});
  rows.push_back({"delta twice", "charter", Forgery({}, {}, {"delta", "delta"})});
  rows.push_back({"delta once", "", Forgery({}, {}, {"delta"})});
  expect_alike(std::move(rows));
}

}  // namespace
}  // namespace parley::dossier
