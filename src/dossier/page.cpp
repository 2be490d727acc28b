#include "dossier/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "dossier/detail/marks.h"
#include "dossier/detail/page_words.h"
#include "finding/matrix.h"

namespace parley::dossier {
namespace {

using detail::Words, detail::words_of;

/// Text from outside: nothing in it acts on the page, and nothing is hidden.
std::string text(std::string_view from_outside) {
  std::string out;
  for (const char c : visible(from_outside)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

/// The same in a box of its own direction, so that it does not disorder what stands around it.
std::string isolated(std::string_view from_outside) {
  return fmt::format("<bdi dir=\"auto\">{}</bdi>", text(from_outside));
}

/// A text of any length, which may be broken anywhere: without that, one long word makes a table wider than its page.
std::string free_text(std::string_view from_outside) {
  return fmt::format("<bdi dir=\"auto\" class=\"free\">{}</bdi>", text(from_outside));
}

/// Hypotheses side by side, as many as a page is wide for; more go below.
constexpr std::size_t kMatrixColumns = 8;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light}
body{font:16px/1.5 Georgia,"Times New Roman","Noto Naskh Arabic",serif;color:#111;background:#fff;margin:2rem auto;max-width:50rem;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.05rem;margin:2rem 0 .5rem;border-bottom:1px solid #999;break-after:avoid}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:start;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #ddd}
th{font-weight:600}
tr,.together{break-inside:avoid}
.free{overflow-wrap:anywhere}
code{font:.8rem ui-monospace,monospace;overflow-wrap:anywhere;direction:ltr;unicode-bidi:isolate}
.name{display:inline-block}
.whole{white-space:nowrap}
.marks{font-weight:600;letter-spacing:.03em}
.judgement{font-size:1.15rem;margin:.5rem 0}
.small{font-size:.85rem}
.withheld{background:#111;color:#fff;padding:0 .3rem;white-space:nowrap}
.warning,.dissent{border-inline-start:.25rem solid #a40000;padding-inline-start:.8rem}
.scroll{overflow-x:auto}
@page{size:A4;margin:18mm 16mm 20mm;@bottom-center{content:counter(page) " / " counter(pages);font:9pt serif;direction:ltr}}
@media print{
body{margin:0;max-width:none;padding:0;font-size:10.5pt;orphans:3;widows:3}
h1,h2{break-after:avoid}
h2{margin-top:1.4rem}
thead{display:table-header-group}
td,th{padding-inline-end:.45rem;overflow-wrap:break-word}
.scroll{overflow:visible}
.dissent,.warning,ul{break-inside:avoid}
.withheld{background:none;color:inherit;border:1px solid #111}
}
)";

class Page {
 public:
  Page(const Verdict& verdict, Language language)
      : verdict_(verdict), contents_(*verdict.contents), finding_(contents_.finding), words_(words_of(language)) {}

  std::string render() {
    out_ = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"{}\" dir=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta "
        "name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
        words_.code, words_.direction, text(finding_.title), kStyle);
    head();
    judgement();
    dissent();
    withdrawals();
    hypotheses();
    evidence();
    matrix();
    lists();
    proof();
    return out_ + "</body>\n</html>\n";
  }

 private:
  void heading(std::string_view title) { out_ += fmt::format("<h2>{}</h2>\n", title); }
  void paragraph(std::string_view name, const std::string& html) {
    out_ += fmt::format("<p><strong>{}:</strong> {}</p>\n", name, html);
  }
  void table(std::initializer_list<std::string_view> head, const std::vector<std::vector<std::string>>& rows) {
    out_ += "<div class=\"scroll\"><table><thead><tr>";
    for (const std::string_view cell : head) out_ += fmt::format("<th scope=\"col\">{}</th>", cell);
    out_ += "</tr></thead><tbody>\n";
    for (const auto& row : rows) add_row(row);
    out_ += "</tbody></table></div>\n";
  }
  void add_row(const std::vector<std::string>& row) {
    out_ += "<tr>";
    for (const std::string& cell : row) out_ += "<td>" + cell + "</td>";
    out_ += "</tr>\n";
  }
  void list(std::span<const std::string_view> sentences) {
    out_ += "<ul>";
    for (const std::string_view sentence : sentences) out_ += fmt::format("<li>{}</li>\n", sentence);
    out_ += "</ul>\n";
  }

  /// Of two lists in one order, the word that stands where `name` does.
  template <std::size_t N>
  static std::string word_for(const std::array<std::string_view, N>& names,
                              const std::array<std::string_view, N>& words, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? text(name) : std::string(words[static_cast<std::size_t>(found - names.begin())]);
  }
  /// Times are shown as days, in UTC, and read from left to right.
  static std::string day(UnixSeconds time) {
    const std::string text = to_rfc3339(time);
    return fmt::format("<bdi dir=\"ltr\" class=\"whole\">{}</bdi>", text.substr(0, text.find('T')));
  }
  std::string shown(const finding::RedactableText& of) const {
    return of.shown ? free_text(of.text) : fmt::format("<span class=\"withheld\">{}</span>", words_.withheld);
  }
  std::string member(const std::string& nick) const {
    const auto name = contents_.names.find(nick);
    // The name is the member's own choice, the nick is what the charter says.
    return fmt::format("<span class=\"name\">{}</span> <code>{}</code>",
                       isolated(name == contents_.names.end() ? nick : name->second), text(nick));
  }
  std::string members(const std::vector<std::string>& nicks) const {
    std::string html;
    for (const std::string& nick : nicks) html += (html.empty() ? "" : " · ") + member(nick);
    return html.empty() ? std::string(words_.nobody) : html;
  }

  void head() {
    out_ += fmt::format("<p class=\"marks\"><bdi>TLP:{} · PAP:{}</bdi></p>\n<h1>{}</h1>\n",
                        detail::in_capitals(indicator::name_of(finding_.tlp)),
                        detail::in_capitals(indicator::name_of(finding_.pap)), isolated(finding_.title));
    out_ += fmt::format("<p>{}</p>\n", words_.verified);
    if (!verdict_.anchored) out_ += fmt::format("<p class=\"warning\">{}</p>\n", words_.unanchored);
    paragraph(words_.question, isolated(finding_.question));
    paragraph(words_.period, day(finding_.period_from) + " – " + day(finding_.period_to));
    paragraph(words_.made, fmt::format("{} · {} {}", day(finding_.created), words_.revision, finding_.revision));
    if (finding_.supersedes != Digest{})
      paragraph(words_.replaces, fmt::format("<code dir=\"ltr\">{}</code>", to_hex(finding_.supersedes)));
  }

  void judgement() {
    const finding::Judgement& judged = finding_.judgement;
    const finding::LikelihoodWord& word = finding::word_of(*judged.likelihood);
    heading(words_.judgement);
    out_ += fmt::format("<p class=\"judgement\">{}</p>\n", isolated(judged.text));
    // What the rules were held against: the text may sound as if it were about another one.
    if (const finding::Hypothesis* const one = finding_.hypothesis(judged.hypothesis))
      paragraph(words_.hypothesis,
                fmt::format("{} ({}{}{}): {}", text(one->id),
                            word_for(finding::kHypothesisKinds, words_.hypothesis_kinds, one->kind),
                            one->actor.empty() ? "" : ", ", isolated(one->actor), free_text(one->text)));
    paragraph(words_.likelihood,
              fmt::format("{} ({})", words_.likelihoods[static_cast<std::size_t>(word.value)],
                          fmt::format(fmt::runtime(words_.range), word.least_percent, word.most_percent)));
    paragraph(words_.confidence,
              fmt::format("{}. {}", words_.confidences[static_cast<std::size_t>(*finding_.confidence)],
                          isolated(finding_.confidence_why)));
    if (!judged.despite.empty()) paragraph(words_.despite, isolated(judged.despite));
    // On one page of a print: whose names stand for it must not be torn apart.
    out_ += "<div class=\"together\">\n";
    paragraph(words_.signers, members(contents_.signed_finding.signers));
    paragraph(words_.published_by, members(contents_.publishers));
    paragraph(words_.silent, members(contents_.silent));
    out_ += "</div>\n";
  }

  void dissent() {
    heading(words_.dissent);
    if (contents_.dissents.empty()) out_ += fmt::format("<p>{}</p>\n", words_.nobody_dissents);
    for (const finding::SignedDissent& one : contents_.dissents) {
      out_ += fmt::format("<div class=\"dissent\"><p><strong>{}</strong></p>\n", member(one.dissent.nick));
      for (const finding::DissentPoint& point : one.dissent.points) {
        const std::string likelihood =
            point.likelihood ? fmt::format("{}: {}. ", words_.likelihood,
                                           words_.likelihoods[static_cast<std::size_t>(*point.likelihood)])
                             : std::string();
        out_ += fmt::format("<p><strong>{}: {}.</strong> {}{}</p>\n", words_.about, about(point.about), likelihood,
                            free_text(point.text));
      }
      out_ += "</div>\n";
    }
  }

  void withdrawals() {
    if (contents_.withdrawals.empty()) return;
    heading(words_.withdrawn);
    if (!contents_.stands())
      out_ += fmt::format("<p class=\"warning\"><strong>{}</strong></p>\n", words_.too_few_stand);
    for (const finding::Withdrawn& one : contents_.withdrawals)
      out_ += fmt::format("<div class=\"dissent\"><p><strong>{}</strong> ({})</p>\n<p>{}</p></div>\n",
                          member(one.place.nick), day(one.time), free_text(one.signed_withdrawal.withdrawal.reason));
  }

  std::string about(std::string_view part) const {
    if (part == "judgement") return std::string(words_.judgement);
    return part == "confidence" ? std::string(words_.confidence) : isolated(part);
  }

  void hypotheses() {
    heading(words_.hypotheses);
    std::vector<std::vector<std::string>> rows;
    for (const finding::Hypothesis& one : finding_.hypotheses)
      rows.push_back({text(one.id), word_for(finding::kHypothesisKinds, words_.hypothesis_kinds, one.kind),
                      isolated(one.actor), free_text(one.text)});
    table({words_.hypothesis, words_.kind, words_.actor, words_.claim}, rows);
    for (const finding::Equivalence& claim : finding_.equivalences)
      out_ += fmt::format("<p>{}: {} — {} · {} ({})</p>\n", text(claim.origin), words_.says_same, isolated(claim.name),
                          isolated(claim.other), words_.nothing_merged);
  }

  void evidence() {
    heading(words_.evidence);
    std::vector<std::vector<std::string>> rows;
    for (const finding::Evidence& one : finding_.evidence) {
      std::string brought;
      for (const finding::Sighting& sighting : one.seen)
        brought += fmt::format("{}{} ({})", brought.empty() ? "" : "<br>", member(sighting.by), text(sighting.origin));
      const auto source = static_cast<std::size_t>(one.grade.source - 'A');
      const auto information = static_cast<std::size_t>(one.grade.information - 1);
      rows.push_back({text(one.id), shown(one.summary), fmt::format("{}: {}", one.grade.source, words_.sources[source]),
                      fmt::format("{}: {}", one.grade.information, words_.informations[information]),
                      std::to_string(finding::corroboration_of(one)), brought});
    }
    table({"", words_.what, words_.source, words_.information, words_.origins, words_.seen_by}, rows);
    heading(words_.came_from);
    rows.clear();
    for (const finding::Origin& origin : finding_.origins)
      rows.push_back(
          {text(origin.id), word_for(finding::kOriginKinds, words_.origin_kinds, origin.kind), shown(origin.text)});
    table({"", words_.kind, words_.what}, rows);
    entries();
  }

  /// Each once, however many items rest on it: a body may be long.
  void entries() {
    std::map<Digest, std::string> items;  // that rest on it
    for (const finding::Evidence& one : finding_.evidence)
      for (const Digest& ref : one.refs) {
        std::string& names = items[ref];
        names += (names.empty() ? "" : " ") + text(one.id);
      }
    std::vector<std::vector<std::string>> rows;
    for (const ProvenEntry& entry : contents_.entries) {
      const auto named = items.find(entry.leaf);
      if (named == items.end()) continue;
      rows.push_back({named->second,
                      fmt::format("<code class=\"whole\">{}:{}</code><br><code class=\"whole\">{}</code>",
                                  text(entry.nick), entry.seq, text(entry.type)),
                      day(entry.time),
                      entry.body ? fmt::format("<code>{}</code>", text(*entry.body)) : std::string(words_.not_shown)});
    }
    if (rows.empty()) return;
    heading(words_.entries);
    table({"", words_.entry, words_.when, words_.says}, rows);
  }

  void matrix() {
    heading(words_.matrix);
    const std::span all(finding_.hypotheses);
    for (std::size_t from = 0; from < all.size(); from += kMatrixColumns)
      matrix_of(all.subspan(from, std::min(kMatrixColumns, all.size() - from)));
    out_ += fmt::format("<p class=\"small\">{}</p>\n", words_.cells);
  }

  void matrix_of(std::span<const finding::Hypothesis> hypotheses) {
    const std::vector<finding::CriticalRow> critical = finding::critical_rows(finding_);
    const std::vector<finding::Score> scores = finding::scores_of(finding_);
    out_ += "<div class=\"scroll\"><table><thead><tr><th></th>";
    for (const finding::Hypothesis& one : hypotheses) out_ += fmt::format("<th scope=\"col\">{}</th>", text(one.id));
    out_ += "<th></th></tr></thead><tbody>\n";
    for (const finding::Evidence& one : finding_.evidence) {
      std::vector<std::string> row = {text(one.id)};
      for (const finding::Hypothesis& hypothesis : hypotheses)
        row.emplace_back(finding::name_of(*finding_.cell(one.id, hypothesis.id)));
      const bool decides = std::ranges::find(critical, one.id, &finding::CriticalRow::evidence) != critical.end();
      row.emplace_back(decides                                     ? words_.decides
                       : !finding::is_diagnostic(finding_, one.id) ? words_.tells_nothing
                                                                   : "");
      add_row(row);
    }
    std::vector<std::string> against = {fmt::format("<strong>{}</strong>", words_.against)};
    for (const finding::Hypothesis& hypothesis : hypotheses)
      against.push_back(
          finding::quarters(std::ranges::find(scores, hypothesis.id, &finding::Score::hypothesis)->inconsistency));
    against.emplace_back();
    add_row(against);
    out_ += "</tbody></table></div>\n";
  }

  void lists() {
    if (!finding_.assumptions.empty()) heading(words_.assumptions);
    for (const finding::Assumption& one : finding_.assumptions)
      out_ += fmt::format("<p>{}: {}</p>\n", text(one.id), shown(one.text));
    if (!contents_.remarks.empty()) heading(words_.remarks);
    for (const finding::Remark& remark : contents_.remarks)
      out_ += fmt::format("<p><code>{}</code> {}</p>\n", remark.rule, isolated(remark.sentence));
  }

  void proof() {
    heading(words_.proven);
    list(words_.proves);
    heading(words_.not_proven);
    list(words_.proves_not);
    out_ += "<div class=\"together\">\n";
    heading(words_.check);
    out_ += fmt::format("<p>{}</p>\n", words_.trust);
    paragraph(words_.hash, fmt::format("<code>{}</code>", to_hex(contents_.signed_finding.hash)));
    paragraph(words_.charter, fmt::format("<code>{}</code>", to_hex(contents_.charters.front().hash)));
    out_ += fmt::format("<p><code>parley verify dossier FILE --charter {}</code></p>\n</div>\n",
                        to_hex(contents_.charters.front().hash));
  }

  const Verdict& verdict_;
  const Contents& contents_;
  const finding::Finding& finding_;
  const Words& words_;
  std::string out_;
};

}  // namespace

std::optional<Language> language_named(std::string_view name) {
  for (const Language language : {Language::english, Language::russian, Language::arabic})
    if (words_of(language).code == name) return language;
  return std::nullopt;
}

std::string render_page(const Verdict& verdict, Language language) {
  return Page(verdict, language).render();
}

}  // namespace parley::dossier
