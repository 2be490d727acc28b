#include "indicator/context.h"

#include <gtest/gtest.h>

namespace parley::indicator {
namespace {

TEST(Tlp, HasNamesThatLeadBack) {
  for (const Tlp tlp : {Tlp::clear, Tlp::green, Tlp::amber, Tlp::amber_strict, Tlp::red})
    EXPECT_EQ(tlp_named(name_of(tlp)), tlp);
}

TEST(Pap, HasNamesThatLeadBack) {
  for (const Pap pap : {Pap::clear, Pap::green, Pap::amber, Pap::red}) EXPECT_EQ(pap_named(name_of(pap)), pap);
}

TEST(LabelKind, HasDistinctNames) {
  EXPECT_EQ(name_of(LabelKind::label), "label");
  EXPECT_EQ(name_of(LabelKind::actor), "actor");
  EXPECT_EQ(name_of(LabelKind::malware), "malware");
  EXPECT_EQ(name_of(LabelKind::technique), "technique");
  EXPECT_EQ(name_of(LabelKind::sector), "sector");
}

TEST(Tlp, ReadsTheSpellingsOfMispStixAndPeople) {
  const std::pair<std::string_view, Tlp> examples[] = {{"tlp:white", Tlp::clear},
                                                       {"TLP:CLEAR", Tlp::clear},
                                                       {"white", Tlp::clear},
                                                       {"TLP:GREEN", Tlp::green},
                                                       {"TLP-GREEN", Tlp::green},
                                                       {"TLP: Amber", Tlp::amber},
                                                       {"tlp:amber+strict", Tlp::amber_strict},
                                                       {"TLP:AMBER-STRICT", Tlp::amber_strict},
                                                       {"amber_strict", Tlp::amber_strict},
                                                       {"TLP AMBER STRICT", Tlp::amber_strict},
                                                       {"tlp:\"amber\"", Tlp::amber},
                                                       {" RED ", Tlp::red},
                                                       {"TLP_RED", Tlp::red}};
  for (const auto& [text, tlp] : examples) EXPECT_EQ(tlp_named(text), tlp) << text;
}

TEST(Pap, ReadsTheSpellingsOfMispAndPeople) {
  EXPECT_EQ(pap_named("PAP:WHITE"), Pap::clear);
  EXPECT_EQ(pap_named("PAP:RED"), Pap::red);
  EXPECT_EQ(pap_named("pap:amber"), Pap::amber);
  EXPECT_EQ(pap_named("Green"), Pap::green);
}

TEST(Tlp, DoesNotGuess) {
  for (const std::string_view text : {"", "tlp", "tlp:", "tlp:ex:chr", "tlp:unclear", "pap:red", "redd", "amber+",
                                      "ambers", "tlpred", "yellow", "0", "tlp:amber+lenient", "tlp:red\n\nx"}) {
    EXPECT_FALSE(tlp_named(text).has_value()) << text;
  }
}

TEST(Pap, DoesNotGuess) {
  for (const std::string_view text : {"", "pap", "pap:", "tlp:red", "amber+strict", "pap:amber+strict", "paper"}) {
    EXPECT_FALSE(pap_named(text).has_value()) << text;
  }
}

TEST(Tlp, OrdersFromOpenToClosed) {
  EXPECT_LT(Tlp::clear, Tlp::green);
  EXPECT_LT(Tlp::green, Tlp::amber);
  EXPECT_LT(Tlp::amber, Tlp::amber_strict);
  EXPECT_LT(Tlp::amber_strict, Tlp::red);
}

}  // namespace
}  // namespace parley::indicator
