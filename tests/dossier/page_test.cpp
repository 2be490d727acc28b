#include "dossier/page.h"

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

TEST(DossierPage, WarnsWhereNobodyVouchesForTheGroup) {
  const Verdict verdict = verify_dossier(samples().dossiers[0].first, {});
  EXPECT_NE(render_page(verdict, Language::english).find("class=\"warning\""), std::string::npos);
}

}  // namespace
}  // namespace parley::dossier
