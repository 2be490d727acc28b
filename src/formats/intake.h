// What all readers share: values become records, what is wrong becomes an error or (lenient) a notice.
#pragma once

#include <optional>

#include "formats/import.h"

namespace parley::formats {

/// Where a reader stands; made into words only when they are needed.
struct Place {
  std::string_view path;   ///< JSON path or the like; may be empty
  std::uint64_t line = 0;  ///< from 1; 0 without lines

  std::string text() const;
};

/// What a file says that a value is: a type, or one of a family ("ip", "hash") whose member the value itself shows.
struct Declared {
  indicator::Type type = indicator::Type::ipv4;
  bool family = false;
};

/// The type that `name` stands for in CSV files, MISP attributes or STIX; in any case, with '-', '_' or ' '.
std::optional<Declared> declared_type(std::string_view name);

/// `text` as the indicator that it plainly is, whatever a file says about it; nothing when it could be anything.
std::optional<indicator::Canonical> recognise(std::string_view text);

class Intake {
 public:
  Intake(Sink& sink, bool lenient) : sink_(sink), lenient_(lenient) {}

  bool lenient() const { return lenient_; }
  std::uint64_t new_file_object() { return ++file_objects_; }

  /// Takes `text` as what it is declared to be, or as what it plainly is (with a notice that says so).
  /// @error as refuse(), when it is neither.
  Status take(Declared declared, std::string_view text, const indicator::Context& context, std::uint64_t file_object,
              Place place);
  /// Takes `text` as the type of that name, or its parts ("filename|md5", "domain|ip"); false when parley carries none.
  Result<bool> take_typed(std::string_view type_name, std::string_view text, const indicator::Context& context,
                          std::uint64_t file_object, Place place);
  /// Takes `text` as what it plainly is. @error as refuse().
  Status take(std::string_view text, const indicator::Context& context, std::uint64_t file_object, Place place);
  Status take(indicator::Canonical value, const indicator::Context& context, std::uint64_t file_object);

  /// Something that claims to be readable and is not. @error Errc::format; lenient: a notice.
  Status refuse(Place place, std::string why);
  /// As refuse(), with the error that a callee gave.
  Status refuse(Place place, Error error);
  /// Something that parley does not carry: a notice, never an error.
  void skip(Place place, std::string why) { sink_.notice({Notice::Kind::skipped, place.text(), std::move(why)}); }
  /// Something that was taken otherwise than it stands there: a notice.
  void correct(Place place, std::string why) { sink_.notice({Notice::Kind::corrected, place.text(), std::move(why)}); }

 private:
  Sink& sink_;
  bool lenient_;
  std::uint64_t file_objects_ = 0;
};

/// `text` for a message: made visible, at most some 60 characters of it, in quotation marks.
std::string shown(std::string_view text);
std::string_view trimmed(std::string_view text);
/// ASCII only.
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Adds a label unless it is empty, too long, no UTF-8, there already, or one too many.
void add_label(indicator::Context& context, indicator::LabelKind kind, std::string_view name);
/// The stricter of two markings.
void restrict_tlp(indicator::Context& context, std::optional<indicator::Tlp> tlp);
void restrict_pap(indicator::Context& context, std::optional<indicator::Pap> pap);
/// A tag as MISP and STIX labels write it: tlp:, PAP:, misp-galaxy:…="…", a confidence level, or any other label.
void add_tag(indicator::Context& context, std::string_view tag);
/// "Spearphishing Link - T1566.002" is T1566.002: the number is what all sources have in common (attack.mitre.org).
std::string_view technique_name(std::string_view name);

}  // namespace parley::formats
