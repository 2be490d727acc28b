#include "formats/intake.h"

#include "formats/limits.h"
#include "formats/testing.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::LabelKind;
using indicator::Type;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST(Recognise, KnowsAValueByItsLook) {
  const std::pair<std::string, Type> cases[] = {
      {"203.0.113.9", Type::ipv4},
      {"203[.]0[.]113[.]9", Type::ipv4},
      {"203.0.113.9:443", Type::ipv4},
      {"203.0.113.0/24", Type::cidr},
      {"2001:db8::1", Type::ipv6},
      {"evil.example.com", Type::domain},
      {"evil[.]example[.]com", Type::domain},
      {"evil.example.com:8080", Type::domain},
      {"hxxp://evil.example.com/x", Type::url},
      {"https://evil.example.com", Type::url},
      {"evil.example.com/a/b", Type::url},
      {"a@example.com", Type::email},
      {kMd5, Type::md5},
      {kSha1, Type::sha1},
      {kSha256, Type::sha256},
      {std::string(128, 'e'), Type::sha512},
      {"CVE-2017-0262", Type::cve},
      {"AS64496", Type::asn},
      {"HKLM\\SOFTWARE\\Example", Type::regkey},
      {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Type::btc},
  };
  for (const auto& [text, type] : cases) {
    const auto value = recognise(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(indicator::name_of(value->type()), indicator::name_of(type)) << text;
  }
}

TEST(Recognise, TakesNothingForWhatItIsNot) {
  for (const std::string& text :
       {std::string(), std::string("word"), std::string("two words"), std::string("203.0.113.999"),
        std::string(31, 'a'), std::string(33, 'a'), std::string("CVE-17"), std::string("AS"),
        std::string("dropper.exe"), std::string("1.2"), std::string("12:30:45"), std::string("a|b.example.com"),
        std::string("\xff\xfe.com"), std::string("..."), std::string("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
        std::string(kMaxLineBytes + 1, 'a') + ".com"}) {
    EXPECT_FALSE(recognise(text)) << text.substr(0, 50);
  }
}

TEST(DeclaredType, TakesTheNamesOfPublishedFiles) {
  const std::pair<std::string_view, Type> cases[] = {{"IPV4ADDR", Type::ipv4},         {"FQDN", Type::domain},
                                                     {"ip-dst", Type::ipv4},           {"IPv6 Addr", Type::ipv6},
                                                     {"SHA256_hash", Type::sha256},    {" FileHash-MD5 ", Type::md5},
                                                     {"User_Agent", Type::user_agent}, {"AS", Type::asn},
                                                     {"vulnerability", Type::cve}};
  for (const auto& [name, type] : cases) {
    const auto declared = declared_type(name);
    ASSERT_TRUE(declared) << name;
    EXPECT_EQ(declared->type, type) << name;
  }
  for (std::string_view name : {"", "imphash", "ssdeep", "comment", "target-email", "md",
                                "an extremely long name of a type that nobody ever gave"}) {
    EXPECT_FALSE(declared_type(name)) << name;
  }
}

TEST(Tags, BecomeMarkingsLabelsAndConfidence) {
  Context context;
  for (std::string_view tag :
       {"tlp:green", "TLP:AMBER+STRICT", "PAP:GREEN", "misp-galaxy:threat-actor=\"Sofacy\"",
        "misp-galaxy:mitre-intrusion-set=\"APT28 - G0007\"", "misp-galaxy:malpedia=\"X-Agent\"",
        "misp-galaxy:mitre-attack-pattern=\"Spearphishing Link - T1566.002\"", "misp-galaxy:sector=\"Government\"",
        "misp:confidence-level=\"fairly-confident\"", "osint", "osint", "tlp:unheard-of"}) {
    add_tag(context, tag);
  }
  EXPECT_EQ(context.tlp, indicator::Tlp::amber_strict);
  EXPECT_EQ(context.pap, indicator::Pap::green);
  EXPECT_EQ(context.confidence, 50);
  EXPECT_THAT(context.labels,
              UnorderedElementsAre(label(LabelKind::actor, "Sofacy"), label(LabelKind::actor, "APT28"),
                                   label(LabelKind::malware, "X-Agent"), label(LabelKind::technique, "T1566.002"),
                                   label(LabelKind::sector, "Government"), label(LabelKind::label, "osint"),
                                   label(LabelKind::label, "tlp:unheard-of")));
  EXPECT_TRUE(std::ranges::is_sorted(context.labels));
}

TEST(Labels, AreBoundedAndAreText) {
  Context context;
  add_label(context, LabelKind::label, "");
  add_label(context, LabelKind::label, "  ");
  add_label(context, LabelKind::label, std::string(kMaxLabelBytes + 1, 'x'));
  add_label(context, LabelKind::label, "\xff\xfe");
  EXPECT_THAT(context.labels, IsEmpty());
  for (std::size_t i = 0; i < 2 * kMaxLabels; ++i) add_label(context, LabelKind::label, "l" + std::to_string(i));
  EXPECT_THAT(context.labels, SizeIs(kMaxLabels));
}

TEST(Shown, IsShortAndSafeToLookAt) {
  EXPECT_EQ(shown("a\x1b[31m"), "\"a\\x1b[31m\"");
  EXPECT_LT(shown(std::string(1 << 20, 'x')).size(), 100U);
  EXPECT_EQ(shown("\xe2\x80\xae"), "\"\\u{202e}\"");
}

}  // namespace
}  // namespace parley::formats
