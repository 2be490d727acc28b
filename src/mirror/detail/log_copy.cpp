#include "mirror/detail/log_copy.h"

#include <algorithm>

namespace parley::mirror::detail {

bool may_read(const log::Entry& entry, std::string_view nick) {
  const auto is_named = [&](const std::string& one) { return one == nick || one == log::kEveryone; };
  return entry.author == nick || std::ranges::any_of(entry.audience, is_named);
}

std::string bare_note(std::string_view note, const log::VerifierKey& log) {
  auto parsed = log::parse_note(note);
  if (!parsed) return std::string(note);
  std::erase_if(parsed->signatures, [&](const log::NoteSignature& signature) {
    return signature.name != log.name || signature.key_id != log.id();
  });
  if (parsed->signatures.size() > 1) parsed->signatures.resize(1);
  return log::write_note(*parsed);
}

std::string line_of(const log::NoteSignature& signature) {
  const std::string note = log::write_note({"\n", {signature}});
  // The text, an empty line, the signature's line and its newline.
  return note.substr(2, note.size() - 3);
}

Result<log::NoteSignature> signature_of(std::string_view line) {
  TRY(log::Note note, log::parse_note("\n\n" + std::string(line) + "\n"));
  if (note.signatures.size() != 1) return fail(Errc::format, "Not the line of one signature.");
  return std::move(note.signatures.front());
}

Result<std::string> note_with_lines(const std::string& bare, std::span<const vault::LogCosignature> lines) {
  std::string note = bare;
  for (const vault::LogCosignature& line : lines) note += line.line + "\n";
  TRY(const log::Note parsed, log::parse_note(note));
  return note;
}

}  // namespace parley::mirror::detail
