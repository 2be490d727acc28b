#include "dossier/page.h"

#include "dossier/forged.h"
#include "dossier/samples.h"

namespace parley::dossier {
namespace {

constexpr std::array kLanguages = {Language::english, Language::russian, Language::arabic};

TEST(DossierPage, SaysWhatTheFindingSaysInEachLanguageAndDirection) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  for (const Language language : kLanguages) {
    const std::string page = render_page(verdict, language);
    for (const std::string_view due :
         {"It is likely that Sednit is behind the intrusions.", "The tools are sold.", "TLP:GREEN",
          "The same command server was called from both networks", "<bdi dir=\"auto\">"})
      EXPECT_NE(page.find(due), page.npos) << due;
  }
  EXPECT_NE(render_page(verdict, Language::english).find("likely (55 to 80 of 100)"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::russian).find("вероятно (от 55 до 80 из 100)"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::arabic).find("مرجّح (من 55 إلى 80 من 100)"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::arabic).find("<html lang=\"ar\" dir=\"rtl\">"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::russian).find("<html lang=\"ru\" dir=\"ltr\">"), std::string::npos);
}

// A judgement can sound as if it were about another hypothesis than the one that the rules were held against.
TEST(DossierPage, SaysWhichHypothesisIsJudgedWhenItWasMadeAndWhatItReplaces) {
  Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  finding::Finding& finding = verdict.contents->finding;
  finding.revision = 7;
  finding.supersedes.fill(std::byte{0x11});
  ASSERT_NE(finding.hypothesis(finding.judgement.hypothesis), nullptr);
  for (const Language language : kLanguages) {
    const std::string before = render_page(verdict, language);
    EXPECT_NE(before.find(" 7<"), std::string::npos);
    EXPECT_NE(before.find(std::string(64, '1')), std::string::npos);
    EXPECT_NE(before.find(to_rfc3339(finding.created).substr(0, 10)), std::string::npos);
    const std::string was = finding.judgement.hypothesis;
    for (const finding::Hypothesis& other : finding.hypotheses) {
      if (other.id == was) continue;
      finding.judgement.hypothesis = other.id;
      EXPECT_NE(render_page(verdict, language), before) << other.id;
    }
    finding.judgement.hypothesis = was;
  }
}

// The name on a card is its member's own choice.
TEST(DossierPage, TellsMembersOfOneNameApart) {
  Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  for (auto& [nick, name] : verdict.contents->names) name = "Alpha CERT · Bravo CERT";
  for (const Language language : kLanguages)
    for (const std::string& nick : verdict.contents->signed_finding.signers)
      EXPECT_NE(render_page(verdict, language).find("<code>" + nick + "</code>"), std::string::npos);
}

TEST(DossierPage, HasNoScriptAndNothingFromElsewhere) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  for (const Language language : kLanguages) {
    const std::string page = render_page(verdict, language);
    for (const std::string_view banned : {"<script", "http://", "https://", "src=", "javascript", "@import", "url("})
      EXPECT_EQ(page.find(banned), page.npos) << banned;
    EXPECT_NE(page.find("default-src 'none'"), page.npos);
  }
}

TEST(DossierPage, ShowsTextsFromOutsideAsTextsAndWithheldOnesAsWithheld) {
  Verdict verdict = verify_dossier(samples().dossiers[1].first, samples().dossiers[1].second);
  ASSERT_TRUE(verdict.holds);
  verdict.contents->finding.title = "<img onerror=\"x\">&\u202e";
  const std::string page = render_page(verdict, Language::english);
  EXPECT_EQ(page.find("<img"), page.npos);
  EXPECT_NE(page.find("&lt;img onerror=&quot;x&quot;&gt;&amp;\\u{202e}"), page.npos);
  EXPECT_NE(page.find("<span class=\"withheld\">withheld</span>"), page.npos);
}

TEST(DossierPage, SaysWhoWithdrewAndWhyAndThatTooFewAreLeft) {
  const Verdict verdict = verify_dossier(samples().dossiers[3].first, samples().dossiers[3].second);
  ASSERT_TRUE(verdict.holds);
  ASSERT_FALSE(verdict.contents->stands());
  for (const Language language : kLanguages)
    EXPECT_NE(render_page(verdict, language).find("The sensor was wrong."), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::english).find("Fewer members stand behind this"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::russian).find("Отозванные подписи"), std::string::npos);
  EXPECT_NE(render_page(verdict, Language::arabic).find("توقيعات سُحبت"), std::string::npos);
  const Verdict other = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  EXPECT_EQ(render_page(other, Language::english).find("withdrawn"), std::string::npos);
}

// What a withdrawal states itself nobody but its author has seen to.
TEST(DossierPage, DatesAWithdrawalByTheEntryOfTheLogThatHasIt) {
  for (const UnixSeconds stated : {UnixSeconds{0}, group::kBegin - 86'400, group::kBegin + 86'400, kLatestTime}) {
    const Verdict verdict = verify_dossier(Forgery({{"withdrawal", "/time", Json(stated)}}).build(), {});
    ASSERT_TRUE(verdict.holds) << verdict.steps.back().detail;
    for (const Language language : kLanguages) {
      const std::string page = render_page(verdict, language);
      const std::size_t at = page.find("<strong><span class=\"name\"><bdi dir=\"auto\">charlie");
      ASSERT_NE(at, page.npos);
      const std::string block = page.substr(at, page.find("It was a test.", at) - at);
      EXPECT_NE(block.find(to_rfc3339(group::kBegin).substr(0, 10)), block.npos) << block;
      EXPECT_EQ(block.find(to_rfc3339(stated).substr(0, 10)), block.npos) << block;
    }
  }
}

// On paper there is nothing to scroll by: no table is wider than the page, and those who sign stand together.
TEST(DossierPage, HoldsItsTablesToTheWidthOfAPage) {
  Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  finding::Finding& finding = verdict.contents->finding;
  while (finding.hypotheses.size() < finding::kMaxHypotheses) {
    finding.hypotheses.push_back(finding.hypotheses.back());
    finding.hypotheses.back().id = fmt::format("h{}", finding.hypotheses.size());
    for (finding::Row& row : finding.matrix) {
      row.cells.push_back(row.cells.back());
      row.cells.back().hypothesis = finding.hypotheses.back().id;
    }
  }
  const std::string page = render_page(verdict, Language::english);
  std::size_t tables = 0;
  for (std::size_t at = 0; (at = page.find("<th></th><th scope=\"col\">h", at)) != page.npos; ++at) ++tables;
  EXPECT_EQ(tables, 2u) << "eight hypotheses beside each other";
  EXPECT_NE(page.find(".scroll{overflow:visible}"), page.npos);
  const std::size_t together = page.find("<div class=\"together\">");
  ASSERT_NE(together, page.npos);
  const std::string_view block = std::string_view(page).substr(together, page.find("</div>", together) - together);
  for (const std::string_view due : {"Signed by", "Published by", "Neither signed nor dissented"})
    EXPECT_NE(block.find(due), block.npos) << due;
}

TEST(DossierPage, SaysWhyItIsJudgedDespiteWhatSpeaksAgainstItAsTheWordsOfTheFinding) {
  Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  verdict.contents->finding.judgement.despite = "Published by: all members.";
  constexpr std::array<std::string_view, 3> kLabels = {"Judged so despite what speaks against it, because",
                                                       "Почему вывод таков, хотя данные говорят против",
                                                       "سبب هذا الحكم رغم ما يعارضه"};
  for (std::size_t i = 0; i < kLanguages.size(); ++i)
    EXPECT_NE(
        render_page(verdict, kLanguages[i])
            .find(fmt::format("<p><strong>{}:</strong> <bdi dir=\"auto\">Published by: all members.", kLabels[i])),
        std::string::npos);
}

// A small file whose items all rest on one long entry must not become a page that fills a disk.
TEST(DossierPage, ShowsAnEntryOnceHoweverManyItemsRestOnIt) {
  Verdict verdict = verify_dossier(samples().dossiers[0].first, samples().dossiers[0].second);
  ASSERT_TRUE(verdict.holds);
  Contents& contents = *verdict.contents;
  finding::Finding& finding = contents.finding;
  const std::string before = render_page(verdict, Language::english);
  const std::string body(std::size_t{1} << 18, '&');
  const Digest ref = finding.evidence.at(0).refs.at(0);
  const auto entry = std::ranges::find(contents.entries, ref, &ProvenEntry::leaf);
  ASSERT_NE(entry, contents.entries.end());
  entry->body = body;
  while (finding.evidence.size() < 256) {
    finding.evidence.push_back(finding.evidence[0]);
    finding.evidence.back().id = fmt::format("e{}", finding.evidence.size());
    finding.matrix.push_back({finding.evidence.back().id, finding.matrix[0].cells});
  }
  const std::string page = render_page(verdict, Language::english);
  EXPECT_LT(page.size(), before.size() + 6 * body.size());
  EXPECT_NE(page.find(" e256</td>"), page.npos) << "and says which rest on it";
}

TEST(DossierPage, WarnsWhereNobodyVouchesForTheGroup) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, {});
  EXPECT_NE(render_page(verdict, Language::english).find("class=\"warning\""), std::string::npos);
}

}  // namespace
}  // namespace parley::dossier
