// A sorted list of tags as it arrives: the first two bytes say how many tags, then the upper part and the chunks. What
// is read ascends strictly, and writing it again gives the same bytes: there is one way to write a list.
#include <algorithm>
#include <vector>

#include "check.h"
#include "psi/detail/tag_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley;
  using namespace parley::psi::detail;
  ByteView bytes = fuzz_bytes(data, size);
  if (bytes.size() < 2) return 0;
  const TagListShape shape(read_be<std::uint16_t>(bytes));
  bytes = bytes.subspan(2);
  const ByteView upper = bytes.first(std::min(bytes.size(), shape.upper_bytes()));
  bytes = bytes.subspan(upper.size());
  auto reader = TagListReader::begin(shape, upper);
  if (!reader) {
    check(reader.error().code == Errc::protocol);
    return 0;
  }
  std::vector<Tag> list, tags;
  for (std::size_t chunk = 0; chunk < shape.chunk_count(); ++chunk) {
    const ByteView part = bytes.first(std::min(bytes.size(), shape.chunk_bytes(chunk)));
    bytes = bytes.subspan(part.size());
    if (const auto read = reader->next(part, tags); !read) {
      check(read.error().code == Errc::protocol);
      return 0;
    }
    list.insert(list.end(), tags.begin(), tags.end());
    check(list.size() == shape.first_tag_of(chunk) + shape.tags_in(chunk));
  }
  check(reader->done() && list.size() == shape.count());
  for (std::size_t i = 1; i < list.size(); ++i) check(list[i - 1] < list[i]);
  check(std::ranges::equal(encode_upper(list), upper));
  for (std::size_t chunk = 0; chunk < shape.chunk_count(); ++chunk) {
    Bytes again(shape.chunk_bytes(chunk));
    encode_chunk(list, chunk, again);
    const std::size_t before = chunk == 0 ? 0 : chunk * shape.chunk_bytes(0);
    check(std::ranges::equal(again, fuzz_bytes(data, size).subspan(2 + shape.upper_bytes() + before, again.size())));
  }
  return 0;
}
