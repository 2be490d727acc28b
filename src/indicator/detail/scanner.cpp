#include "indicator/detail/scanner.h"

#include <algorithm>

#include "indicator/detail/address.h"
#include "indicator/detail/host.h"
#include "indicator/detail/reference.h"
#include "indicator/detail/unicode.h"
#include "indicator/indicator.h"

namespace parley::indicator::detail {

Scanner::Scanner(std::string_view stretch, std::size_t offset, const ExtractOptions& options)
    : options_(options),
      offset_(offset),
      plain_(refang(stretch)),
      text_(plain_.text),
      taken_(plain_.text.size(), '\0') {}

std::vector<Found> Scanner::run() {
  find_urls();
  find_registry_keys();
  find_emails();
  find_traffic_light_marks();
  find_vulnerabilities();
  find_user_agents();
  find_ipv6();
  find_words();
  std::ranges::stable_sort(found_, {}, &Found::offset);
  return std::move(found_);
}

std::size_t Scanner::host_character(std::size_t i) const {
  if (i >= text_.size() || !free(i)) return 0;
  const char c = text_[i];
  if (is_ascii(c)) return is_alnum(c) || c == '-' || c == '.' || c == '_' ? 1 : 0;
  const CodePoint point = decode(std::string_view(text_).substr(i));
  return point.size != 0 && (is_foreign_letter(point.value) || is_joiner(point.value)) ? point.size : 0;
}

std::size_t Scanner::host_run_end(std::size_t begin) const {
  std::size_t end = begin;
  while (const std::size_t size = host_character(end)) end += size;
  return end;
}

std::size_t Scanner::host_end(std::size_t begin, std::size_t run_end) const {
  const std::string_view run = view(begin, run_end);
  const auto foreign = std::ranges::find_if(run, [](char c) { return !is_ascii(c); });
  if (foreign == run.end()) return run_end;
  const auto domain = canonical_domain(run, 1);
  if (domain) {
    const std::size_t last_dot = run.rfind('.');
    const bool mixed_end = last_dot != std::string_view::npos && last_dot + 1 < run.size() &&
                           is_ascii(run[last_dot + 1]) && !all_ascii(run.substr(last_dot + 1));
    if (!mixed_end) return run_end;  // "evil.com" followed at once by words of another script is not a top-level domain
  }
  return begin + static_cast<std::size_t>(foreign - run.begin());
}

bool Scanner::ends_word(std::size_t i) const {
  if (i >= text_.size()) return true;
  return is_ascii(text_[i]) ? !is_alnum(text_[i]) && text_[i] != '_' : host_character(i) == 0;
}

void Scanner::emit(std::string_view type, std::string value, std::size_t begin, bool ambiguous) {
  found_.push_back({std::string(type), std::move(value), offset_ + plain_.source[begin], ambiguous});
}

bool Scanner::emit_canonical(Type type, std::string_view text, std::size_t begin, bool ambiguous) {
  const auto canonical = canonicalise(type, text);
  if (!canonical || canonical->type() != type) return false;
  emit(name_of(type), canonical->value(), begin, ambiguous);
  return true;
}

bool Scanner::skip_as_reference(std::string_view host, std::size_t begin, std::size_t end) const {
  // Whoever defangs a name means the name and not the page.
  return options_.skip_reference_sites && !defanged(begin, end) && is_reference_site(host);
}

}  // namespace parley::indicator::detail
