// URLs in the normal form of RFC 3986 section 6, with the choices that docs/canonical-forms.md explains.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace parley::indicator::detail {

/// Canonical form of an absolute URL that has an authority ("scheme://host..."). Defanging is already undone, except in
/// the scheme's name.
Result<std::string> canonical_url(std::string_view text);

/// The host of a canonical URL, without port, user and brackets.
std::string_view host_of(std::string_view canonical_url);

/// "example.org", "192.0.2.1" or "2001:db8::1" for whatever stands in the place of a host; IPv6 without brackets.
Result<std::string> canonical_host(std::string_view host, std::size_t least_labels);

}  // namespace parley::indicator::detail
