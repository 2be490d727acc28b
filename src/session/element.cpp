#include "session/element.h"

#include <algorithm>

#include "psi/admission/admission.h"

namespace parley::session {

Result<ElementMaker> ElementMaker::make(vault::Vault& vault, const vault::Selection& selection) {
  ElementMaker maker;
  if (!selection.admission) return maker;
  maker.tagged_types_ = selection.admission->types;
  TRY(maker.tags_, vault.admission_tags(selection.group, selection.admission->epoch));
  TRY(const auto canaries, vault.admission_canaries(selection.group, selection.admission->epoch));
  for (const auto& [id, canary] : canaries) maker.canaries_.emplace(canary, id);
  return maker;
}

bool ElementMaker::needs_tag(indicator::Type type) const {
  return std::ranges::find(tagged_types_, type) != tagged_types_.end();
}

std::optional<Bytes> ElementMaker::by_tag(indicator::Type type, vault::ItemId id) const {
  const auto tag = std::ranges::lower_bound(tags_, id, {}, &std::pair<vault::ItemId, vault::AdmissionTag>::first);
  if (tag == tags_.end() || tag->first != id) return std::nullopt;
  return psi::admission::tagged_element(static_cast<std::byte>(type), tag->second);
}

Result<Bytes> ElementMaker::element_of(const vault::Item& item) const {
  const indicator::Type type = item.indicator.type();
  if (!needs_tag(type)) return item.indicator.typed();
  auto element = by_tag(type, item.id);
  if (!element)
    return fail(Errc::cancelled, "The epoch of admission ended while the session was being prepared. Ask again.");
  return *std::move(element);
}

std::optional<Bytes> ElementMaker::element_of(const indicator::Canonical& canary) const {
  if (!needs_tag(canary.type())) return canary.typed();
  const auto known = canaries_.find(canary);
  return known == canaries_.end() ? std::nullopt : by_tag(canary.type(), known->second);
}

}  // namespace parley::session
