// One stretch of text (a line, or a piece of a very long one) and what was found in it. Each kind of indicator has a
// pass of its own over the refanged text; what a pass takes, the later ones leave alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "indicator/detail/defang.h"
#include "indicator/extract.h"

namespace parley::indicator::detail {

class Scanner {
 public:
  /// @param offset  where `stretch` begins in the whole text.
  Scanner(std::string_view stretch, std::size_t offset, const ExtractOptions& options);

  /// Everything in it, in order of place, with repetitions.
  std::vector<Found> run();

 private:
  // scan_url.cpp
  void find_urls();
  std::size_t take_url(std::size_t separator, std::size_t not_before);
  std::size_t path_end(std::size_t begin) const;
  std::size_t without_trailing_punctuation(std::size_t begin, std::size_t end) const;
  void take_path_without_scheme(std::size_t host_begin, std::size_t host_end);
  std::size_t authority_host(std::size_t begin) const;

  // scan_marked.cpp: kinds that announce themselves
  void find_registry_keys();
  std::size_t registry_key_end(std::size_t begin) const;
  void find_emails();
  void find_traffic_light_marks();
  void find_vulnerabilities();
  void find_user_agents();

  // scan_words.cpp: kinds that are one word each
  void find_ipv6();
  void take_ipv6(std::size_t begin, std::size_t end);
  void find_words();
  void take_word(std::size_t begin, std::size_t end);
  void take_mixed_word(std::size_t begin, std::size_t end);
  void take_numbers(std::size_t begin, std::size_t end);
  void take_ipv4(std::size_t begin, std::size_t end);
  void take_single_word(std::size_t begin, std::size_t end);
  void take_hash(std::size_t begin, std::size_t end);
  bool take_domain(std::size_t begin, std::size_t end);
  bool reads_as_domain(std::size_t begin, std::size_t end, const std::string& domain, bool& ambiguous) const;
  bool after_version_word(std::size_t begin) const;

  // Text and its neighbourhood.
  std::string_view view(std::size_t begin, std::size_t end) const {
    return std::string_view(text_).substr(begin, end - begin);
  }
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  char before(std::size_t i) const { return i > 0 ? text_[i - 1] : '\0'; }
  bool defanged(std::size_t begin, std::size_t end) const { return plain_.any_defanged(begin, end); }
  bool free(std::size_t i) const { return taken_[i] == '\0'; }
  void take(std::size_t begin, std::size_t end) { taken_.replace(begin, end - begin, end - begin, '\1'); }
  /// Bytes of a host character at `i` (a letter of any script, digit, hyphen, dot, underscore); 0 for none.
  std::size_t host_character(std::size_t i) const;
  std::size_t host_run_end(std::size_t begin) const;
  /// The longest beginning of a host run that names a host: the whole, or what stands before letters of another script.
  std::size_t host_end(std::size_t begin, std::size_t run_end) const;
  bool ends_word(std::size_t i) const;
  /// Where the first of `separators` stands in the word, or its end.
  std::size_t piece_end(std::size_t begin, std::size_t end, std::string_view separators) const {
    return begin + std::min(view(begin, end).find_first_of(separators), end - begin);
  }

  void emit(std::string_view type, std::string value, std::size_t begin, bool ambiguous = false);
  /// Emits the canonical form of what stands there, if it has one of type `type`; else nothing.
  bool emit_canonical(Type type, std::string_view text, std::size_t begin, bool ambiguous = false);
  /// Emits the host of a URL, and answers whether it is a site that reports merely refer to.
  bool skip_as_reference(std::string_view host, std::size_t begin, std::size_t end) const;

  ExtractOptions options_;
  std::size_t offset_;
  Plain plain_;
  const std::string& text_;
  std::string taken_;
  std::vector<Found> found_;
};

}  // namespace parley::indicator::detail
