#include "evidence/case_uco.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace parley::evidence {
namespace {

using Json = nlohmann::ordered_json;

Json context() {
  return {{"kb", "urn:parley:case:"},
          {"case-investigation", "https://ontology.caseontology.org/case/investigation/"},
          {"uco-action", "https://ontology.unifiedcyberontology.org/uco/action/"},
          {"uco-core", "https://ontology.unifiedcyberontology.org/uco/core/"},
          {"uco-identity", "https://ontology.unifiedcyberontology.org/uco/identity/"},
          {"uco-location", "https://ontology.unifiedcyberontology.org/uco/location/"},
          {"uco-observable", "https://ontology.unifiedcyberontology.org/uco/observable/"},
          {"uco-role", "https://ontology.unifiedcyberontology.org/uco/role/"},
          {"uco-tool", "https://ontology.unifiedcyberontology.org/uco/tool/"},
          {"uco-types", "https://ontology.unifiedcyberontology.org/uco/types/"},
          {"uco-vocabulary", "https://ontology.unifiedcyberontology.org/uco/vocabulary/"},
          {"xsd", "http://www.w3.org/2001/XMLSchema#"}};
}

Json reference(const std::string& id) {
  return {{"@id", id}};
}

Json typed(std::string_view type, const std::string& value) {
  return {{"@type", type}, {"@value", value}};
}

Json sha256_of(const Digest& digest) {
  return {{"@type", "uco-types:Hash"},
          {"uco-types:hashMethod", typed("uco-vocabulary:HashNameVocab", "SHA256")},
          {"uco-types:hashValue", typed("xsd:hexBinary", to_hex(digest))}};
}

class Writer {
 public:
  explicit Writer(const CaseView& view) : view_(view) {}

  std::string write() {
    for (const vault::CaseFileRow& file : view_.files) add_file(file);
    for (const CustodyEntry& entry : view_.chain.entries) add_action(entry);
    graph_.insert(graph_.begin(), investigation());
    return Json{{"@context", context()}, {"@graph", graph_}}.dump(2) + "\n";
  }

 private:
  /// A version 8 UUID (RFC 9562) of the case and what stands in it: the same node has the same name in each export.
  std::string node(std::string_view kind, std::string_view which) const {
    const Digest digest =
        crypto::sha256(as_bytes(fmt::format("parley/case-uco/v1 {} {} {}", view_.row.id, kind, which)));
    std::string hex = to_hex(ByteView(digest).first(16));
    hex[12] = '8';
    hex[16] = 'a';
    return fmt::format("kb:{}-{}-{}-{}-{}-{}", kind, hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                       hex.substr(16, 4), hex.substr(20));
  }
  std::string file_node(std::uint64_t number) const { return node("file", std::to_string(number)); }

  void add(Json object) {
    members_.push_back(reference(object.at("@id").get<std::string>()));
    graph_.push_back(std::move(object));
  }

  void add_file(const vault::CaseFileRow& file) {
    const std::string number = std::to_string(file.number);
    add({{"@id", file_node(file.number)},
         {"@type", "uco-observable:File"},
         {"uco-core:hasFacet", Json::array({{{"@id", node("file-facet", number)},
                                             {"@type", "uco-observable:FileFacet"},
                                             {"uco-observable:fileName", file.name},
                                             {"uco-observable:sizeInBytes", file.size}},
                                            {{"@id", node("content-data-facet", number)},
                                             {"@type", "uco-observable:ContentDataFacet"},
                                             {"uco-observable:sizeInBytes", file.size},
                                             {"uco-observable:hash", Json::array({sha256_of(file.sha256)})}}})}});
    add({{"@id", node("provenance-record", number)},
         {"@type", "case-investigation:ProvenanceRecord"},
         {"case-investigation:exhibitNumber", number},
         {"uco-core:object", Json::array({reference(file_node(file.number))})}});
  }

  /// A node that is made when it is first needed.
  Json once(std::string_view kind, const std::string& which, const std::function<void(Json&)>& fill) {
    const std::string id = node(kind, which);
    if (made_.emplace(id, true).second) {
      Json object{{"@id", id}};
      fill(object);
      add(std::move(object));
    }
    return reference(id);
  }
  Json performer(const CustodyStep& step) {
    return once("person", step.actor + "\n" + step.role, [&](Json& object) {
      object["@type"] = "uco-identity:Person";
      object["uco-core:name"] = step.actor;
      if (!step.role.empty()) object["uco-core:description"] = Json::array({step.role});
    });
  }
  Json instrument(const CustodyStep& step) {
    return once("tool", step.tool + "\n" + step.tool_version + "\n" + step.tool_sha256, [&](Json& object) {
      object["@type"] = "uco-tool:Tool";
      object["uco-core:name"] = step.tool;
      if (!step.tool_version.empty()) object["uco-tool:version"] = step.tool_version;
      if (!step.tool_sha256.empty()) object["uco-core:description"] = Json::array({"SHA-256 " + step.tool_sha256});
    });
  }
  Json location(const CustodyStep& step) {
    return once("location", step.location, [&](Json& object) {
      object["@type"] = "uco-location:Location";
      object["uco-core:name"] = step.location;
    });
  }

  static std::string description_of(const CustodyStep& step) {
    std::string text = step.note;
    const auto more = [&](std::string_view what, const std::string& value) {
      if (!value.empty()) text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", what, value);
    };
    more("command", step.command);
    more("source device", step.source_device);
    more("SHA-256 before", step.hash_before ? to_hex(*step.hash_before) : "");
    more("SHA-256 after", step.hash_after ? to_hex(*step.hash_after) : "");
    return text;
  }

  void add_action(const CustodyEntry& entry) {
    const CustodyStep& step = entry.step;
    Json action{{"@id", node("investigative-action", std::to_string(entry.seq))},
                {"@type", "case-investigation:InvestigativeAction"},
                {"uco-core:name", name_of(step.stage)},
                {"uco-action:startTime", typed("xsd:dateTime", to_rfc3339(entry.time))},
                {"uco-action:performer", performer(step)}};
    if (const std::string text = description_of(step); !text.empty())
      action["uco-core:description"] = Json::array({text});
    if (!step.tool.empty()) action["uco-action:instrument"] = Json::array({instrument(step)});
    if (!step.location.empty()) action["uco-action:location"] = Json::array({location(step)});
    if (step.file != 0) {
      const Json record = reference(node("provenance-record", std::to_string(step.file)));
      if (step.stage == Stage::acquisition)
        action["uco-action:result"] = Json::array({reference(file_node(step.file)), record});
      else
        action["uco-action:object"] = Json::array({record});
    }
    add(std::move(action));
  }

  Json investigation() const {
    return {{"@id", node("investigation", "")},
            {"@type", "case-investigation:Investigation"},
            {"uco-core:name", view_.row.name},
            {"uco-core:description",
             Json::array({fmt::format("Chain of custody of {} entries; root of its RFC 6962 tree: {}",
                                      view_.chain.entries.size(), to_hex(view_.chain.root()))})},
            {"uco-core:object", members_}};
  }

  const CaseView& view_;
  Json graph_ = Json::array(), members_ = Json::array();
  std::map<std::string, bool> made_;
};

}  // namespace

std::string write_case_uco(const CaseView& view) {
  return Writer(view).write();
}

}  // namespace parley::evidence
