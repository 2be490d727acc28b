#include "formats/openioc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <set>
#include <utility>

#include "base/clock.h"
#include "formats/limits.h"

namespace parley::formats {
namespace {

using indicator::Context;
using indicator::LabelKind;
using indicator::Type;
using pugi::xml_node;

/// What a term says: a type, and whether a part of the value is enough ("contains" on a DNS name names a domain; on a
/// file name it is only a fragment).
struct Term {
  std::string_view name;
  Declared type;
  bool part_is_enough;
};

/// Terms of the public OpenIOC term list that carry our types.
constexpr std::array kTerms = {
    Term{"FileItem/Md5sum", {Type::md5}, false},
    Term{"FileItem/Sha1sum", {Type::sha1}, false},
    Term{"FileItem/Sha256sum", {Type::sha256}, false},
    Term{"FileItem/FileName", {Type::filename}, false},
    Term{"FileItem/PEInfo/DigitalSignature/CertificateHash", {Type::sha256, true}, false},
    Term{"ProcessItem/SectionList/MemorySection/Md5sum", {Type::md5}, false},
    Term{"ProcessItem/SectionList/MemorySection/Sha1Sum", {Type::sha1}, false},
    Term{"ProcessItem/SectionList/MemorySection/Sha256Sum", {Type::sha256}, false},
    Term{"ServiceItem/serviceDLLmd5sum", {Type::md5}, false},
    Term{"DriverItem/Md5sum", {Type::md5}, false},
    Term{"DnsEntryItem/Host", {Type::domain}, true},
    Term{"DnsEntryItem/RecordName", {Type::domain}, true},
    Term{"DnsEntryItem/RecordData/Host", {Type::domain}, true},
    Term{"DnsEntryItem/RecordData/IPv4Address", {Type::ipv4, true}, false},
    Term{"Network/DNS", {Type::domain}, true},
    Term{"UrlHistoryItem/HostName", {Type::domain}, true},
    Term{"UrlHistoryItem/URL", {Type::url}, false},
    Term{"FileDownloadHistoryItem/SourceURL", {Type::url}, false},
    Term{"Network/UserAgent", {Type::user_agent}, false},
    Term{"PortItem/remoteIP", {Type::ipv4, true}, false},
    Term{"RouteEntryItem/Destination", {Type::ipv4, true}, false},
    Term{"ArpEntryItem/IPv4Address", {Type::ipv4, true}, false},
    Term{"Email/From", {Type::email}, false},
    Term{"Email/ReplyTo", {Type::email}, false},
    Term{"Email/Attachment/Name", {Type::filename}, false},
    Term{"RegistryItem/KeyPath", {Type::regkey}, false},
    Term{"RegistryItem/Path", {Type::regkey}, false},
};

std::string_view local_name(std::string_view name) {
  return name.substr(name.find(':') + 1);
}

xml_node child(xml_node node, std::string_view name) {
  for (const xml_node inner : node.children()) {
    if (local_name(inner.name()) == name) return inner;
  }
  return {};
}

std::string_view text_of(xml_node node) {
  return trimmed(node.child_value());
}

/// Labels of <links> (1.0) and <metadata>/<links> (1.1).
void add_links(xml_node links, Context& context) {
  for (const xml_node link : links.children()) {
    const std::string_view relation = link.attribute("rel").value();
    if (relation == "threatgroup") add_label(context, LabelKind::actor, text_of(link));
    if (relation == "family") add_label(context, LabelKind::malware, text_of(link));
    if (relation == "tlp") restrict_tlp(context, indicator::tlp_named(text_of(link)));
    if (relation == "threatcategory" || relation == "category") add_label(context, LabelKind::label, text_of(link));
  }
}

class OpenIocReader {
 public:
  explicit OpenIocReader(Intake& intake) : intake_(intake) {}

  Status read(xml_node root) {
    const xml_node metadata = child(root, "metadata");
    const xml_node holder = metadata ? metadata : root;
    context_.first_seen = parse_time(text_of(child(holder, "authored_date")));
    add_links(child(holder, "links"), context_);
    const xml_node definition = child(root, local_name(root.name()) == "OpenIOC" ? "criteria" : "definition");
    if (!definition) return fail(Errc::format, "The document has no <definition> (1.0) or <criteria> (1.1).");
    return walk(definition);
  }

 private:
  struct Level {
    xml_node node;
    std::uint64_t file_object = 0;
  };

  /// All items below `definition`, without recursion.
  Status walk(xml_node definition) {
    std::vector<Level> levels{{definition.first_child(), 0}};
    while (!levels.empty()) {
      const Level level = levels.back();
      if (!level.node) {
        levels.pop_back();
        continue;
      }
      levels.back().node = level.node.next_sibling();
      const std::string_view name = local_name(level.node.name());
      if (name == "IndicatorItem") TRY_STATUS(take_item(level.node, level.file_object));
      if (name != "Indicator") continue;
      if (levels.size() == kMaxDepth) {
        return fail(Errc::limit, fmt::format("Indicators are nested deeper than {} levels.", kMaxDepth));
      }
      levels.push_back({level.node.first_child(), file_of(level.node)});
    }
    return {};
  }

  /// Hashes of different kinds that one Indicator joins by AND are hashes of one file.
  std::uint64_t file_of(xml_node indicator) {
    if (!equal_ignoring_case(indicator.attribute("operator").value(), "AND")) return 0;
    std::set<std::string_view> kinds;
    for (const xml_node item : indicator.children()) {
      const std::string_view search = child(item, "Context").attribute("search").value();
      if (!search.starts_with("FileItem/") || !search.ends_with("sum")) continue;
      if (!kinds.insert(search).second) return 0;
    }
    return kinds.size() > 1 ? intake_.new_file_object() : 0;
  }

  Status take_item(xml_node item, std::uint64_t file_object) {
    const std::string place = fmt::format("item {}", item.attribute("id").value());
    const std::string_view search = child(item, "Context").attribute("search").value();
    const std::string_view condition = item.attribute("condition").value();
    const std::string_view text = text_of(child(item, "Content"));
    const auto term = std::ranges::find_if(kTerms, [&](const Term& t) { return equal_ignoring_case(t.name, search); });
    if (term == kTerms.end()) {
      intake_.skip({place}, fmt::format("The term {} is none that parley carries.", shown(search)));
      return {};
    }
    const bool negated = item.attribute("negate").as_bool() || condition.ends_with("not");
    const bool enough = condition == "is" || (condition == "contains" && term->part_is_enough);
    if (negated || !enough) {
      intake_.skip({place}, fmt::format("{} {} {} names no whole value.", search, condition, shown(text)));
      return {};
    }
    const bool of_file = search.starts_with("FileItem/") && search.ends_with("sum");
    return intake_.take(term->type, text, context_, of_file ? file_object : 0, {place});
  }

  Intake& intake_;
  Context context_;
};

/// Walks the document without recursion.
bool nested_too_deeply(xml_node root) {
  std::size_t depth = 0;
  for (xml_node node = root; node;) {
    if (node.first_child()) {
      node = node.first_child();
      if (++depth > kMaxDepth) return true;
      continue;
    }
    while (node && node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (!node || node == root) return false;
    node = node.next_sibling();
  }
  return false;
}

}  // namespace

Status read_openioc(Source& source, Intake& intake) {
  TRY(std::string content, read_all(source, kMaxOpenIocBytes));
  pugi::xml_document document;
  const auto parsed =
      document.load_buffer_inplace(content.data(), content.size(), pugi::parse_default | pugi::parse_doctype);
  if (!parsed) {
    return fail(Errc::format, fmt::format("This is not well-formed XML: {}.", parsed.description()),
                fmt::format("byte {}", parsed.offset));
  }
  for (const xml_node node : document.children()) {
    if (node.type() == pugi::node_doctype) {
      return fail(Errc::format,
                  "The document declares a document type, which OpenIOC has not; it is refused, since such "
                  "declarations serve to smuggle in other files or to fill the memory.");
    }
  }
  const xml_node root = document.document_element();
  const std::string_view name = local_name(root.name());
  if (name != "ioc" && name != "OpenIOC") {
    return fail(Errc::format,
                fmt::format("The root element is {}; <ioc> (OpenIOC 1.0) or <OpenIOC> (1.1) was expected.",
                            shown(root.name())));
  }
  if (nested_too_deeply(root)) {
    return fail(Errc::limit, fmt::format("Elements are nested deeper than {} levels.", kMaxDepth));
  }
  return OpenIocReader(intake).read(root);
}

}  // namespace parley::formats
