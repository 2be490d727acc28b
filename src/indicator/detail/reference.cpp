#include "indicator/detail/reference.h"

#include <algorithm>
#include <array>

#include "indicator/detail/unicode.h"

namespace parley::indicator::detail {
namespace {

constexpr std::array<std::string_view, 48> kReferenceSites = {"abuse.ch",
                                                              "abuseipdb.com",
                                                              "any.run",
                                                              "attack.mitre.org",
                                                              "bleepingcomputer.com",
                                                              "blog.talosintelligence.com",
                                                              "cert.gov.ua",
                                                              "cisa.gov",
                                                              "cisecurity.org",
                                                              "crowdstrike.com",
                                                              "cve.mitre.org",
                                                              "cve.org",
                                                              "docs.oasis-open.org",
                                                              "fireeye.com",
                                                              "first.org",
                                                              "github.com",
                                                              "gitlab.com",
                                                              "googleapis.com",
                                                              "hybrid-analysis.com",
                                                              "iana.org",
                                                              "ietf.org",
                                                              "joesandbox.com",
                                                              "kaspersky.com",
                                                              "krebsonsecurity.com",
                                                              "linkedin.com",
                                                              "malpedia.caad.fkie.fraunhofer.de",
                                                              "mandiant.com",
                                                              "medium.com",
                                                              "microsoft.com",
                                                              "misp-project.org",
                                                              "nist.gov",
                                                              "otx.alienvault.com",
                                                              "proofpoint.com",
                                                              "recordedfuture.com",
                                                              "rfc-editor.org",
                                                              "securelist.com",
                                                              "shodan.io",
                                                              "symantec.com",
                                                              "trendmicro.com",
                                                              "twitter.com",
                                                              "unit42.paloaltonetworks.com",
                                                              "urlscan.io",
                                                              "us-cert.gov",
                                                              "virustotal.com",
                                                              "w3.org",
                                                              "welivesecurity.com",
                                                              "wikipedia.org",
                                                              "youtube.com"};
static_assert(std::ranges::is_sorted(kReferenceSites));

constexpr std::array<std::string_view, 24> kVersionWords = {
    "v",      "ver",     "version", "versions", "build",  "release", "firmware", "update",
    "driver", "versión", "versão",  "versione", "wersja", "версия",  "версии",   "версію",
    "версія", "сборка",  "الإصدار", "إصدار",    "نسخه",   "גרסה",    "版本",     "バージョン"};

constexpr std::array<std::string_view, 12> kDetectionLabels = {
    "android", "downloader", "hacktool", "heur", "macos", "msil", "osx", "riskware", "trojan", "vbs", "win32", "win64"};

constexpr std::array<std::string_view, 8> kLibraryNames = {"ado.net",         "asp.net",   "microsoft.net", "paint.net",
                                                           "system.data.net", "system.io", "system.net",    "vb.net"};

// https://en.bitcoin.it/wiki/Invoice_address, "Address types"; BIP 173, "Examples"; the coinbase of block 0.
constexpr std::array<std::string_view, 5> kExampleCoins = {
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

}  // namespace

bool is_reference_site(std::string_view host) {
  for (;;) {
    if (std::ranges::binary_search(kReferenceSites, host)) return true;
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos) return false;
    host.remove_prefix(dot + 1);
  }
}

bool precedes_version(std::string_view word) {
  return std::ranges::any_of(kVersionWords, [&](std::string_view known) { return equal_fold(known, word); });
}

bool is_detection_label(std::string_view lower_label) {
  return contains(kDetectionLabels, lower_label);
}
bool is_library_name(std::string_view canonical_domain) {
  return contains(kLibraryNames, canonical_domain);
}
bool is_example_coin(std::string_view address) {
  return contains(kExampleCoins, address);
}

}  // namespace parley::indicator::detail
