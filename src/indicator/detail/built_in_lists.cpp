// Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890, with its updates up to RFC 9637),
// of multicast addresses (RFC 5771, RFC 4291) and of special-use names (RFC 2606, RFC 6761, RFC 8375); the operators'
// own statements for the public resolvers. As of 2026.
#include "indicator/detail/built_in_lists.h"

namespace parley::indicator::detail {

std::vector<WarningList> built_in_lists() {
  return {
      {"private addresses (RFC 1918, RFC 4193)",
       WarningMatch::cidr,
       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}},
      {"addresses shared by carriers (RFC 6598)", WarningMatch::cidr, {"100.64.0.0/10"}},
      {"this host and loopback (RFC 1122, RFC 4291)",
       WarningMatch::cidr,
       {"0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"}},
      {"link-local addresses (RFC 3927, RFC 4291)", WarningMatch::cidr, {"169.254.0.0/16", "fe80::/10"}},
      {"addresses for documentation (RFC 5737, RFC 3849, RFC 9637)",
       WarningMatch::cidr,
       {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"}},
      {"addresses for benchmarks (RFC 2544, RFC 5180)", WarningMatch::cidr, {"198.18.0.0/15", "2001:2::/48"}},
      {"multicast and broadcast (RFC 5771, RFC 4291, RFC 8190)",
       WarningMatch::cidr,
       {"224.0.0.0/4", "255.255.255.255/32", "ff00::/8"}},
      {"other special-purpose addresses (RFC 6890)",
       WarningMatch::cidr,
       {"192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "240.0.0.0/4",
        "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "2620:4f:8000::/48", "5f00::/16"}},
      {"reserved names (RFC 2606, RFC 6761, RFC 6762, RFC 8375)",
       WarningMatch::hostname,
       {"test", "example", "invalid", "localhost", "local", "example.com", "example.net", "example.org", "home.arpa",
        "in-addr.arpa", "ip6.arpa"}},
      {"public resolvers",
       WarningMatch::exact,
       {// Google
        "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844", "dns.google",
        // Cloudflare
        "1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3", "2606:4700:4700::1111",
        "2606:4700:4700::1001", "one.one.one.one", "cloudflare-dns.com",
        // Quad9
        "9.9.9.9", "9.9.9.10", "9.9.9.11", "149.112.112.112", "149.112.112.10", "149.112.112.11", "2620:fe::fe",
        "2620:fe::9", "dns.quad9.net",
        // Cisco OpenDNS
        "208.67.222.222", "208.67.220.220", "208.67.222.123", "208.67.220.123", "2620:119:35::35", "2620:119:53::53",
        // Level 3
        "4.2.2.1", "4.2.2.2", "4.2.2.3", "4.2.2.4", "4.2.2.5", "4.2.2.6",
        // Vercara (UltraDNS Public, formerly Verisign)
        "64.6.64.6", "64.6.65.6",
        // AdGuard
        "94.140.14.14", "94.140.15.15", "94.140.14.15", "94.140.15.16",
        // CleanBrowsing
        "185.228.168.9", "185.228.169.9", "185.228.168.168", "185.228.169.168",
        // Control D
        "76.76.2.0", "76.76.10.0",
        // Yandex
        "77.88.8.8", "77.88.8.1", "77.88.8.88", "77.88.8.2", "77.88.8.7", "77.88.8.3",
        // AliDNS, DNSPod, 114DNS, Baidu
        "223.5.5.5", "223.6.6.6", "119.29.29.29", "114.114.114.114", "114.114.115.115", "180.76.76.76"}},
      {"hashes of the empty file (FIPS 180-4, RFC 1321)",
       WarningMatch::exact,
       {"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a"
        "81a538327"
        "af927da3e"}},
  };
}

}  // namespace parley::indicator::detail
