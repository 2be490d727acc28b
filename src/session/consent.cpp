// Consents, standing rules, and what they cover (consent.h).
#include "session/consent.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "session/audit_keeping.h"
#include "session/detail/stored_indicator.h"
#include "session/reveal_record.h"

namespace parley::session {
namespace {

using log::Json;

constexpr std::size_t kMaxSettingBytes = 1 << 20;
constexpr std::size_t kMaxItems = 4096;

std::string consent_name(const std::string& session) {
  return "reveal/" + session + "/consent";
}
std::string broken_off_name(const std::string& session) {
  return "reveal/" + session + "/broken-off";
}
std::string ahead_name(const std::string& session) {
  return "reveal/" + session + "/ahead";
}
std::string waiting_name(const std::string& session) {
  return "reveal/" + session + "/offered";
}
std::string rules_name(const std::string& group) {
  return "reveal/rules/" + group;
}

indicator::Tlp tlp_of(const ContextFields& fields) {
  // A record without a mark is one that only TLP:RED sources could have filled.
  const std::string* name = fields[*field_index("tlp")].text();
  return (name == nullptr ? std::nullopt : indicator::tlp_named(*name)).value_or(indicator::Tlp::red);
}

indicator::Pap pap_of(const ContextFields& fields) {
  // What carries no PAP is not restricted by one.
  const std::string* name = fields[*field_index("pap")].text();
  return (name == nullptr ? std::nullopt : indicator::pap_named(*name)).value_or(indicator::Pap::clear);
}

bool covers(const Consent& consent, const indicator::Canonical& indicator) {
  const bool item = consent.items.empty() || std::ranges::find(consent.items, indicator) != consent.items.end();
  const bool type = consent.types.empty() || std::ranges::find(consent.types, indicator.type()) != consent.types.end();
  return item && type;
}

indicator::Tlp tlp_of(const vault::SourceContext& source) {
  return source.context.tlp.value_or(kDefaultTlp);
}

/// What an earlier import of a source said stands beside what it said last, under the mark of then.
/// @param sources  in the order in which they were imported
bool is_made_of_what_is_red(const ContextFields& committed, std::span<const vault::SourceContext> sources) {
  std::map<std::string_view, indicator::Tlp> newest;
  for (const vault::SourceContext& source : sources) newest.insert_or_assign(source.source, tlp_of(source));
  return std::ranges::any_of(newest, [&](const auto& last) {
    return last.second == indicator::Tlp::red && is_made_of(committed, last.first);
  });
}

/// What is TLP:RED says nothing of other sources.
bool is_stricter_since(UnixSeconds session, const ContextFields& committed,
                       std::span<const vault::SourceContext> sources) {
  return std::ranges::any_of(sources, [&](const vault::SourceContext& source) {
    const indicator::Tlp tlp = tlp_of(source);
    const indicator::Pap pap = source.context.pap.value_or(indicator::Pap::clear);
    return source.imported >= session && tlp != indicator::Tlp::red &&
           (tlp > tlp_of(committed) || pap > pap_of(committed));
  });
}

Json to_json(const Consent& consent) {
  Json::Array fields, items, types;
  for (const std::string& field : consent.fields) fields.emplace_back(field);
  for (const indicator::Canonical& item : consent.items)
    items.emplace_back(Json::Object{{"type", indicator::name_of(item.type())}, {"value", item.value()}});
  for (const indicator::Type type : consent.types) types.emplace_back(indicator::name_of(type));
  return Json::Object{{"by", consent.by},
                      {"fields", std::move(fields)},
                      {"given", consent.given},
                      {"items", std::move(items)},
                      {"pap_max", indicator::name_of(consent.pap_max)},
                      {"ratio", static_cast<std::int64_t>(consent.ratio)},
                      {"tlp_max", indicator::name_of(consent.tlp_max)},
                      {"types", std::move(types)},
                      {"unreturned", static_cast<std::int64_t>(consent.unreturned)}};
}

Result<Consent> consent_from(const Json& json) {
  log::ObjectReader reader(json, "the stored consent");
  Consent consent;
  consent.by = reader.text("by", kMaxOperatorBytes);
  consent.fields = reader.texts("fields", kFieldPaths.size(), 32);
  consent.given = reader.integer("given", 0, log::kMaxInteger);
  const Json::Array items = reader.array("items", kMaxItems);
  const auto pap = indicator::pap_named(reader.text("pap_max", 32));
  consent.ratio = static_cast<std::uint64_t>(reader.integer("ratio", 1, static_cast<std::int64_t>(kMostRatio)));
  const auto tlp = indicator::tlp_named(reader.text("tlp_max", 32));
  for (const std::string& name : reader.texts("types", indicator::kAllTypes.size(), 32)) {
    const auto type = indicator::type_named(name);
    if (type)
      consent.types.push_back(*type);
    else
      reader.refuse("it names no known type");
  }
  consent.unreturned =
      static_cast<std::uint64_t>(reader.integer("unreturned", 0, static_cast<std::int64_t>(kMostRevealFields)));
  if (!tlp || !pap) reader.refuse("its marks are not known ones");
  TRY_STATUS(reader.finish());
  consent.tlp_max = *tlp;
  consent.pap_max = *pap;
  for (const Json& each : items) {
    log::ObjectReader item(each, "an item of the stored consent");
    indicator::Canonical indicator = detail::stored_indicator(item);
    TRY_STATUS(item.finish());
    consent.items.push_back(std::move(indicator));
  }
  return consent;
}

Result<StandingConsent> standing_from(const Json& json) {
  log::ObjectReader rule(json, "a stored standing consent");
  const Json consent = rule.object("consent");
  StandingConsent read{
      .peer = rule.text("peer", 32), .until = rule.integer("until", 0, log::kMaxInteger), .consent = {}};
  TRY_STATUS(rule.finish());
  TRY(read.consent, consent_from(consent));
  return read;
}

Status put_rules(vault::Vault& vault, const std::string& group, std::span<const StandingConsent> rules) {
  Json::Array array;
  for (const StandingConsent& rule : rules)
    array.emplace_back(Json::Object{{"consent", to_json(rule.consent)}, {"peer", rule.peer}, {"until", rule.until}});
  return vault.put_setting(rules_name(group), log::write_pjson(Json::Object{{"rules", std::move(array)}}));
}

/// Leaves of the fields of one match what is within the cap, with those that were opened before; the least telling
/// ones go first. @return how many stay
std::uint64_t keep_to_cap(std::set<std::size_t>& fields, std::span<const std::size_t> before, std::size_t most) {
  std::vector<std::size_t> more;
  std::ranges::set_difference(fields, std::set(before.begin(), before.end()), std::back_inserter(more));
  std::ranges::sort(more, {}, value_rank);
  const std::size_t left = most - std::min(most, before.size());
  std::uint64_t kept_back = 0;
  for (std::size_t i = left; i < more.size(); ++i) kept_back += fields.erase(more[i]);
  return kept_back;
}

}  // namespace

bool is_mark(std::string_view path) {
  return std::ranges::find(kMarkPaths, path) != kMarkPaths.end();
}

std::size_t value_rank(std::size_t field) {
  return static_cast<std::size_t>(std::ranges::find(kFieldsByValue, kFieldPaths[field]) - kFieldsByValue.begin());
}

Result<ContextFields> committed_fields(const vault::SessionMatch& match) {
  TRY(const Json stored, log::parse_pjson(match.mine, indicator::kMaxValueBytes + kFieldPaths.size() * kMaxFieldBytes));
  ContextFields fields = empty_fields();
  for (const auto& [path, value] : *stored.object())
    if (const auto field = field_index(path)) fields[*field] = value;
  return fields;
}

std::vector<std::size_t> with_marks(std::size_t field, const ContextFields& fields) {
  std::vector<std::size_t> opened{field};
  for (const std::string_view mark : kMarkPaths)
    if (fields[*field_index(mark)] != kFiller) opened.push_back(*field_index(mark));
  std::ranges::sort(opened);
  return opened;
}

Result<std::vector<std::size_t>> fields_of_context(const std::string& context) {
  std::vector<std::size_t> fields;
  if (context.empty()) return fields;
  TRY(const Json stored, log::parse_pjson(context, 2 * kFieldPaths.size() * kMaxFieldBytes));
  for (const auto& [path, value] : *stored.object())
    if (const auto field = field_index(path); field && !is_mark(path)) fields.push_back(*field);
  return fields;
}

Result<Revealable> revealable(vault::Vault& vault, const std::string& session) {
  Revealable found;
  TRY(found.row, vault.session(session));
  TRY(const Terms terms, read_terms(found.row.terms));
  TRY(const Outcome outcome, read_outcome(found.row.outcome));
  if (!is_at_rest(found.row.state))
    return fail(Errc::usage, "This session is still under way; there is nothing to reveal yet.");
  if (terms.question.function == Function::count)
    return fail(Errc::usage,
                "This session counted only: neither side knows which indicators matched, so there is nothing to open.");
  if (terms.question.direction != Direction::both)
    return fail(Errc::usage,
                "In this session only one side learned which indicators matched. Ask again with --direction both to "
                "reveal context.");
  if (!outcome.agreed)
    return fail(Errc::usage, "This session has no result that both sides confirmed, so nothing of it can be opened.");
  TRY(found.matches, vault.session_matches(found.row.id));
  if (found.matches.empty()) return fail(Errc::usage, "Nothing matched in this session, so there is nothing to open.");
  return found;
}

Result<std::vector<MatchNow>> matches_now(vault::Vault& vault, const std::string& session,
                                          std::span<const vault::SessionMatch> matches) {
  TRY(const vault::SessionRow row, vault.session(session));
  TRY(const std::set<indicator::Canonical> unshown, unshown_matches(vault, session));
  std::vector<MatchNow> now;
  for (const vault::SessionMatch& match : matches) {
    TRY(const ContextFields committed, committed_fields(match));
    TRY(const std::vector<vault::SourceContext> sources, vault.contexts(match.item));
    const ContextRecord record = context_record(sources);
    const bool is_red = sources.empty() || is_made_of_what_is_red(committed, sources);
    now.push_back({.tlp = is_red ? indicator::Tlp::red : record.tlp,
                   .pap = pap_of(record.fields),
                   .stricter = is_stricter_since(row.created, committed, sources),
                   .unshown = unshown.contains(match.indicator)});
  }
  return now;
}

LetOut let_out_by(const group::Membership& membership) {
  return {.tlp_max = membership.max_tlp(), .fields = [&membership](indicator::Type type) -> std::size_t {
            const group::AllowedQuestion* allowed = membership.charter().question(type, group::Function::intersection);
            return allowed == nullptr ? 0 : static_cast<std::size_t>(membership.caps(*allowed).fields_per_item);
          }};
}

Result<RevealPlan> plan(std::span<const vault::SessionMatch> matches, std::span<const MatchNow> now,
                        std::span<const Consent> consents, const LetOut& let_out) {
  RevealPlan made;
  made.preview.matches = matches.size();
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (now[i].unshown) continue;
    TRY(const ContextFields fields, committed_fields(matches[i]));
    const indicator::Tlp tlp = std::max(tlp_of(fields), now[i].tlp);
    const indicator::Pap pap = std::max(pap_of(fields), now[i].pap);
    std::set<std::size_t> opened;
    bool covered = false, tlp_allows = false, pap_allows = false;
    for (const Consent& consent : consents) {
      if (!covers(consent, matches[i].indicator)) continue;
      covered = true;
      tlp_allows |= tlp <= std::min(consent.tlp_max, let_out.tlp_max);
      pap_allows |= pap <= consent.pap_max;
      if (tlp == indicator::Tlp::red || tlp > std::min(consent.tlp_max, let_out.tlp_max) || pap > consent.pap_max ||
          now[i].stricter)
        continue;
      for (const std::string& path : consent.fields)
        if (const auto field = field_index(path); field && !is_mark(path) && fields[*field] != kFiller)
          opened.insert(*field);
    }
    if (tlp == indicator::Tlp::red)
      ++made.preview.held_back_red;
    else if (covered && !tlp_allows)
      ++made.preview.held_back_tlp;
    else if (covered && !pap_allows)
      ++made.preview.held_back_pap;
    else if (covered && now[i].stricter)
      ++made.preview.held_back_since;
    TRY(const std::vector<std::size_t> before, fields_of_context(matches[i].opened));
    made.preview.held_back_cap += keep_to_cap(opened, before, let_out.fields(matches[i].indicator.type()));
    for (const std::size_t field : opened) made.values.push_back({.match = i, .field = field});
    made.preview.openings += opened.empty() ? 0 : 1;
  }
  made.preview.values = made.values.size();
  std::ranges::stable_sort(made.values, {}, [](const PlannedValue& value) { return value_rank(value.field); });
  return made;
}

Result<ConsentPreview> preview(vault::Vault& vault, const std::string& session, const Consent& consent,
                               const LetOut& let_out) {
  TRY(const Revealable found, revealable(vault, session));
  TRY(const std::vector<MatchNow> now, matches_now(vault, found.row.id, found.matches));
  TRY(const RevealPlan made, plan(found.matches, now, std::span(&consent, 1), let_out));
  ConsentPreview shown{.numbers = made.preview, .matches = {}};
  std::map<std::size_t, std::vector<std::size_t>> chosen;  // fields by match
  for (const PlannedValue& value : made.values) chosen[value.match].push_back(value.field);
  for (const auto& [i, values] : chosen) {
    const vault::SessionMatch& match = found.matches[i];
    TRY(const std::vector<std::size_t> opened, fields_of_context(match.opened));
    TRY(const ContextFields fields, committed_fields(match));
    Json::Object context;
    for (const std::size_t value : values) {
      shown.numbers.opened_before += std::ranges::find(opened, value) != opened.end() ? 1 : 0;
      for (const std::size_t field : with_marks(value, fields))
        context.insert_or_assign(std::string(kFieldPaths[field]), fields[field]);
    }
    shown.matches.push_back({match.indicator, log::write_pjson(Json(std::move(context)))});
  }
  return shown;
}

Status give_consent(vault::Vault& vault, const std::string& session, const Consent& consent) {
  TRY(const Revealable found, revealable(vault, session));
  return vault.together([&]() -> Status {
    // In an exchange that goes on, or one that this program did not survive, more may have gone out than came back.
    TRY_STATUS(end_consents_of_interrupted(vault, found.row.id));
    return vault.put_setting(consent_name(found.row.id), log::write_pjson(to_json(consent)));
  });
}

Result<std::optional<Consent>> consent_given(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(consent_name(session)));
  if (!stored || stored->empty()) return std::nullopt;
  TRY(const Json json, log::parse_pjson(*stored, kMaxSettingBytes));
  auto consent = consent_from(json);
  return consent ? std::optional(*std::move(consent)) : std::nullopt;
}

Status take_back_consent(vault::Vault& vault, const std::string& session) {
  return vault.together([&]() -> Status {
    TRY(const auto given, consent_given(vault, session));
    if (!given) return fail(Errc::not_found, "No consent to reveal anything of this session stands.");
    TRY_STATUS(vault.put_setting(consent_name(session), ""));
    // Whoever says no to this session does not mean that a rule for all of them opens it, and perhaps more of it.
    return vault.put_setting(broken_off_name(session), "yes");
  });
}

Status use_up_consent(vault::Vault& vault, const std::string& session, std::span<const Consent> used) {
  return vault.together([&]() -> Status {
    TRY(const auto given, consent_given(vault, session));
    if (given && std::ranges::find(used, *given) != used.end())
      TRY_STATUS(vault.put_setting(consent_name(session), ""));
    TRY_STATUS(vault.put_setting(waiting_name(session), ""));
    return forget_ahead(vault, session);
  });
}

Status end_consents(vault::Vault& vault, const std::string& session) {
  return vault.together([&]() -> Status {
    TRY_STATUS(use_up_consent(vault, session, {}));
    TRY_STATUS(vault.put_setting(consent_name(session), ""));
    return vault.put_setting(broken_off_name(session), "yes");
  });
}

Status note_ahead(vault::Vault& vault, const std::string& session) {
  return vault.put_setting(ahead_name(session), "yes");
}

Status forget_ahead(vault::Vault& vault, const std::string& session) {
  return vault.put_setting(ahead_name(session), "");
}

Status end_consents_of_interrupted(vault::Vault& vault, const std::string& session) {
  return vault.together([&]() -> Status {
    TRY(const auto ahead, vault.setting(ahead_name(session)));
    if (!ahead || ahead->empty()) return {};
    return end_consents(vault, session);
  });
}

Result<std::vector<Consent>> consents_in_force(vault::Vault& vault, const vault::SessionRow& row,
                                               const std::string& peer, UnixSeconds now) {
  std::vector<Consent> consents;
  TRY(auto given, consent_given(vault, row.id));
  if (given) consents.push_back(*std::move(given));
  if (!consents.empty()) return consents;
  TRY(const auto broken_off, vault.setting(broken_off_name(row.id)));
  if (broken_off) return consents;
  TRY(const StandingConsents standing, standing_consents(vault, row.group));
  // A clock that is set back gives no rule back that was over.
  TRY(const UnixSeconds seen, time_seen(vault, row.group));
  for (const StandingConsent& rule : standing.rules)
    if (rule.peer == peer && std::max(now, seen) < rule.until) consents.push_back(rule.consent);
  return consents;
}

Result<StandingConsents> standing_consents(vault::Vault& vault, const std::string& group) {
  StandingConsents standing;
  TRY(const auto stored, vault.setting(rules_name(group)));
  if (!stored || stored->empty()) return standing;
  TRY(const Json json, log::parse_pjson(*stored, kMaxSettingBytes));
  log::ObjectReader reader(json, "the stored standing consents");
  const Json::Array array = reader.array("rules", kMaxRules);
  TRY_STATUS(reader.finish());
  for (const Json& each : array) {
    if (auto rule = standing_from(each))
      standing.rules.push_back(*std::move(rule));
    else
      ++standing.unreadable;
  }
  return standing;
}

Status add_standing_consent(vault::Vault& vault, const std::string& group, const StandingConsent& rule) {
  return vault.together([&]() -> Status {
    TRY(StandingConsents standing, standing_consents(vault, group));
    if (standing.rules.size() == kMaxRules)
      return fail(Errc::limit, "A group has room for 64 standing consents. Remove one that is over.");
    standing.rules.push_back(rule);
    return put_rules(vault, group, standing.rules);
  });
}

Status remove_standing_consent(vault::Vault& vault, const std::string& group, std::size_t number) {
  return vault.together([&]() -> Status {
    TRY(StandingConsents standing, standing_consents(vault, group));
    std::vector<StandingConsent>& rules = standing.rules;
    if (number == 0 || number > rules.size())
      return fail(Errc::not_found, "There is no standing consent of this number; parley consent list prints them.");
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(number - 1));
    return put_rules(vault, group, rules);
  });
}

Result<std::optional<std::string>> reveal_waiting(vault::Vault& vault, const std::string& session) {
  TRY(auto stored, vault.setting(waiting_name(session)));
  if (!stored || stored->empty()) return std::nullopt;
  return stored;
}

Status note_reveal_waiting(vault::Vault& vault, const std::string& session, const std::string& by) {
  return vault.put_setting(waiting_name(session), visible(by));
}

}  // namespace parley::session
