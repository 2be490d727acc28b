#include "session/element.h"

#include <algorithm>

#include "psi/admission/admission.h"

namespace parley::session {

Result<ElementMaker> ElementMaker::make(vault::Vault& vault, const vault::Selection& selection) {
  ElementMaker maker;
  if (!selection.admission) return maker;
  maker.tagged_types_ = selection.admission->types;
  TRY(maker.tags_, vault.admission_tags(selection.group, selection.admission->epoch));
  return maker;
}

Result<Bytes> ElementMaker::element_of(const vault::Item& item) const {
  const indicator::Type type = item.indicator.type();
  if (std::ranges::find(tagged_types_, type) == tagged_types_.end()) return item.indicator.typed();
  const auto tag = std::ranges::lower_bound(tags_, item.id, {}, &std::pair<vault::ItemId, vault::AdmissionTag>::first);
  if (tag == tags_.end() || tag->first != item.id)
    return fail(Errc::cancelled, "The epoch of admission ended while the session was being prepared. Ask again.");
  return psi::admission::tagged_element(static_cast<std::byte>(type), tag->second);
}

}  // namespace parley::session
