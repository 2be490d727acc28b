// PDF documents made by the tests themselves (ISO 32000-1, sections 7.5 and 9.4), good and hostile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parley::formats {

/// Puts numbered objects, cross-reference table and trailer together; object 1 is the catalog.
inline std::string pdf_of(const std::vector<std::string>& objects) {
  std::string pdf = "%PDF-1.4\n";
  std::string table;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    std::string offset = std::to_string(pdf.size());
    table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
    pdf += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::string count = std::to_string(objects.size() + 1);
  const std::string start = std::to_string(pdf.size());
  return pdf + "xref\n0 " + count + "\n0000000000 65535 f \n" + table + "trailer\n<< /Size " + count +
         " /Root 1 0 R >>\nstartxref\n" + start + "\n%%EOF\n";
}

inline std::string pdf_stream(std::string_view content, std::string_view filter = "") {
  return "<< /Length " + std::to_string(content.size()) + std::string(filter) + " >>\nstream\n" + std::string(content) +
         "\nendstream";
}

/// A document whose pages all show `text`, which has no parentheses or backslashes.
inline std::string pdf_sample(std::string_view text, int pages = 1) {
  std::vector<std::string> objects = {"<< /Type /Catalog /Pages 2 0 R >>", "",
                                      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                                      pdf_stream("BT /F1 12 Tf 20 700 Td (" + std::string(text) + ") Tj ET")};
  std::string kids;
  for (int i = 0; i < pages; ++i) {
    kids += std::to_string(objects.size() + 1) + " 0 R ";
    objects.emplace_back(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> "
        ">>");
  }
  objects[1] = "<< /Type /Pages /Kids [" + kids + "] /Count " + std::to_string(pages) + " >>";
  return pdf_of(objects);
}

/// Bits from the lowest up, Huffman codes from their highest bit down (RFC 1951 section 3.1.1).
class DeflateBits {
 public:
  void code(unsigned value, int bits) {
    for (int i = bits; i-- > 0;) bit((value >> i) & 1);
  }
  void bit(unsigned value) {
    if (used_ == 0) out_ += '\0';
    if (value != 0) out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | (1U << used_));
    used_ = (used_ + 1) % 8;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  int used_ = 0;
};

/// A page whose content unpacks twice: `matches` times 13 bits (RFC 1951, fixed codes) become 258 bytes each of run
/// lengths (ISO 32000-1, section 7.4.5), of which every two become 128 spaces.
inline std::string pdf_bomb(std::size_t matches) {
  DeflateBits bits;
  bits.bit(1);                // the last block
  bits.bit(1), bits.bit(0);   // with fixed codes
  bits.code(0x30 + 0x81, 8);  // run length 257 - 0x81 = 128
  bits.code(0x30 + ' ', 8);   // of spaces
  for (std::size_t i = 0; i < matches; ++i) bits.code(0xc0 + 285 - 280, 8), bits.code(1, 5);  // 258 bytes, from 2 back
  bits.code(0, 7);                                                                            // the end
  const std::string packed = "\x78\x01" + bits.take();
  return pdf_of({"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
                 pdf_stream(packed, " /Filter [/FlateDecode /RunLengthDecode]"),
                 "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R >>"});
}

}  // namespace parley::formats
