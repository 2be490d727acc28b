// A verified dossier as a page to read and to print: one HTML file without script and without anything from elsewhere,
// in English, Russian or Arabic, the last from right to left.
#pragma once

#include "dossier/verify.h"

namespace parley::dossier {

enum class Language : std::uint8_t { english, russian, arabic };
/// "en", "ru", "ar".
std::optional<Language> language_named(std::string_view name);

/// What people wrote stays in their language; the page's own words are in `language`.
/// Precondition: verdict.holds.
std::string render_page(const Verdict& verdict, Language language);

}  // namespace parley::dossier
