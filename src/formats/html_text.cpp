#include "formats/html_text.h"

#include <fmt/format.h>
#include <gumbo.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "formats/limits.h"

namespace parley::formats {
namespace {

/// Memory for one parse, given back all at once: gumbo's own clean-up recurses as deep as the page nests.
class Arena {
 public:
  void* allocate(std::size_t size) {
    size = (size + kAlignment - 1) / kAlignment * kAlignment;
    if (size > left_) {
      const std::size_t block = std::max(size, kBlockBytes);
      blocks_.push_back(std::make_unique<std::byte[]>(block));
      at_ = blocks_.back().get();
      left_ = block;
    }
    void* memory = at_;
    at_ += size;
    left_ -= size;
    return memory;
  }

 private:
  static constexpr std::size_t kAlignment = alignof(std::max_align_t);
  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* at_ = nullptr;
  std::size_t left_ = 0;
};

void* arena_allocate(void* arena, std::size_t size) {
  return static_cast<Arena*>(arena)->allocate(size);
}
void arena_release(void*, void*) {}

/// Elements whose content nobody sees.
bool is_hidden(GumboTag tag) {
  constexpr std::array kHidden = {GUMBO_TAG_SCRIPT,   GUMBO_TAG_STYLE,  GUMBO_TAG_TEMPLATE,
                                  GUMBO_TAG_NOSCRIPT, GUMBO_TAG_IFRAME, GUMBO_TAG_OBJECT};
  return std::ranges::find(kHidden, tag) != kHidden.end();
}

/// Elements that run on within a line; every other one begins and ends a line of its own (HTML Standard, section 15.3).
bool is_inline(GumboTag tag) {
  constexpr std::array kInline = {GUMBO_TAG_A,     GUMBO_TAG_ABBR, GUMBO_TAG_B,      GUMBO_TAG_BDI,    GUMBO_TAG_BDO,
                                  GUMBO_TAG_CITE,  GUMBO_TAG_CODE, GUMBO_TAG_EM,     GUMBO_TAG_FONT,   GUMBO_TAG_I,
                                  GUMBO_TAG_KBD,   GUMBO_TAG_MARK, GUMBO_TAG_Q,      GUMBO_TAG_S,      GUMBO_TAG_SAMP,
                                  GUMBO_TAG_SMALL, GUMBO_TAG_SPAN, GUMBO_TAG_STRONG, GUMBO_TAG_STRIKE, GUMBO_TAG_SUB,
                                  GUMBO_TAG_SUP,   GUMBO_TAG_TIME, GUMBO_TAG_TT,     GUMBO_TAG_U,      GUMBO_TAG_VAR,
                                  GUMBO_TAG_WBR,   GUMBO_TAG_BIG,  GUMBO_TAG_INS,    GUMBO_TAG_DEL,    GUMBO_TAG_DFN,
                                  GUMBO_TAG_NOBR};
  return std::ranges::find(kInline, tag) != kInline.end();
}

const GumboVector* children_of(const GumboNode& node) {
  if (node.type == GUMBO_NODE_DOCUMENT) return &node.v.document.children;
  if (node.type == GUMBO_NODE_ELEMENT) return &node.v.element.children;
  return nullptr;
}

bool has_text(const GumboNode& node) {
  return node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_CDATA || node.type == GUMBO_NODE_WHITESPACE;
}

bool is_block(const GumboNode& node) {
  return node.type == GUMBO_NODE_ELEMENT && !is_inline(node.v.element.tag);
}

/// Walks the tree in document order with a stack of its own.
Result<std::string> visible_text(const GumboNode& root) {
  struct Level {
    const GumboNode* node;
    unsigned next_child;
  };
  std::string text;
  std::vector<Level> levels{{&root, 0}};
  const auto break_line = [&text] {
    if (!text.empty() && text.back() != '\n') text += '\n';
  };
  while (!levels.empty()) {
    Level& level = levels.back();
    const GumboVector* children = children_of(*level.node);
    if (level.next_child == children->length) {
      if (is_block(*level.node)) break_line();
      levels.pop_back();
      continue;
    }
    const auto& child = *static_cast<const GumboNode*>(children->data[level.next_child++]);
    if (has_text(child)) {
      text += child.v.text.text;
      if (text.size() > kMaxDocumentTextBytes) {
        return fail(Errc::limit, fmt::format("The page has more than {} bytes of text.", kMaxDocumentTextBytes));
      }
    } else if (child.type == GUMBO_NODE_ELEMENT && !is_hidden(child.v.element.tag)) {
      if (is_block(child)) break_line();
      levels.push_back({&child, 0});
    }
  }
  return text;
}

}  // namespace

Result<std::string> html_visible_text(std::string_view html) {
  Arena arena;
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = arena_allocate;
  options.deallocator = arena_release;
  options.userdata = &arena;
  options.max_errors = 0;
  const GumboOutput* output = gumbo_parse_with_options(&options, html.data(), html.size());
  return visible_text(*output->document);
}

}  // namespace parley::formats
